// Synchronous SRAM with a read port and a write port, the place where a two-port macro goes.
//
// With `re`, `rdata` shows word `raddr` one cycle later and holds it until the next read; with `we`, `wdata` goes to word
// `waddr`. A read of the word that is written in the same cycle gets the old one.
// With `re2`, never in a cycle with `re`, the word goes to `rdata2` instead, by the clock `clk2`, a gated `clk`; a word that
// is written in the same cycle shows its new value there. What hangs on one output rests while the other one is used.
// No reset. Words are zero at the start of a simulation, as in the golden model; a macro's are not.

module takt_sram_1r1w #(
    parameter int WIDTH = 512,
    parameter int DEPTH = 256
) (
    input  logic                                         clk,
    input  logic                                         re,
    input  logic [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0] raddr,
    output logic [WIDTH - 1:0]                           rdata,
    input  logic                                         clk2,
    input  logic                                         re2,
    output logic [WIDTH - 1:0]                           rdata2,
    input  logic                                         we,
    input  logic [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0] waddr,
    input  logic [WIDTH - 1:0]                           wdata
);

    logic [WIDTH - 1:0] words [0:DEPTH - 1];

    always_ff @(posedge clk) begin
        if (re) rdata <= words[raddr];
        if (we) words[waddr] <= wdata;
    end

    always_ff @(posedge clk2)
        if (re2) rdata2 <= we && waddr == raddr ? wdata : words[raddr];

`ifndef SYNTHESIS
    initial begin
        for (int i = 0; i < DEPTH; i++) words[i] = '0;
        rdata = '0;
        rdata2 = '0;
    end
`endif

endmodule
