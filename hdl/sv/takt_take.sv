// A register that takes one word out of the words of two directions, with `en`, and holds it.
//
// For units on a gated clock: while it stands still, a simulator does not look at the words at all.

module takt_take #(
    parameter int WIDTH = 128,
    parameter int COUNT = 32
) (
    input  logic                                         clk,
    input  logic                                         en,
    input  logic                                         direction,
    input  logic [(COUNT > 1 ? $clog2(COUNT) : 1) - 1:0] index,
    input  logic [WIDTH * COUNT - 1:0]                   east,
    input  logic [WIDTH * COUNT - 1:0]                   west,
    output logic [WIDTH - 1:0]                           word
);

    always_ff @(posedge clk)
        if (en) begin
            if (direction) word <= west[index * WIDTH +: WIDTH];
            else           word <= east[index * WIDTH +: WIDTH];
        end

`ifndef SYNTHESIS
    initial word = '0;
`endif

endmodule
