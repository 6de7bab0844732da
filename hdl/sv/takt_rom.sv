// Combinational table of constants, the place where a ROM macro goes.
//
// WORDS holds word 0 in its lowest 32 bits, word 1 in the next, and so on.
// A memory that is never written: Verilator would turn a select from the constant into a table of its own by trying
// every index, at every instance.

module takt_rom #(
    parameter int                      WIDTH = 32, // at most 32
    parameter int                      DEPTH = 64,
    parameter logic [32 * DEPTH - 1:0] WORDS = '0
) (
    input  logic [$clog2(DEPTH) - 1:0] index,
    output logic [WIDTH - 1:0]         word
);

    logic [WIDTH - 1:0] words [0:DEPTH - 1];

`ifdef __ICARUS__
    // vvp puts the whole constant together anew wherever a loop selects from it: 0.1 s per table of 576 words.
    logic [32 * DEPTH - 1:0] constant;

    initial begin
        constant = WORDS;
        for (int i = 0; i < DEPTH; i++) words[i] = constant[i * 32 +: WIDTH];
    end
`else
    initial begin
        // verilator unroll_disable
        for (int i = 0; i < DEPTH; i++) words[i] = WORDS[i * 32 +: WIDTH];
    end
`endif

    assign word = words[index];

endmodule
