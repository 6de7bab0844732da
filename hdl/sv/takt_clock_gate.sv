// Clock gate without a latch, the place where an integrated clock-gating cell goes.
//
// `en` is sampled on the falling edge, so `gclk` has no glitches; it must settle within half a cycle, so it comes
// from a register (and not from a bench, which acts on falling edges).
// A synchronous reset inside needs the clock: drive `en | rst`. Verilator skips a unit whose clock stands still:
// 16 idle ALUs of 16 lanes ran at 1.3 M instead of 0.2 M cycles/s; enables on registers gain nothing.
// The rising edge that ends the cycle in which `en` is high reaches `gclk`.

module takt_clock_gate (
    input  logic clk,
    input  logic en,
    output logic gclk
);

    logic en_q;

`ifndef SYNTHESIS
    initial en_q = 1'b0;
`endif

    always_ff @(negedge clk) en_q <= en;

    assign gclk = clk & en_q;

endmodule
