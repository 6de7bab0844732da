// Combinational table of constants, the place where a ROM macro goes.
//
// WORDS holds word 0 in its lowest bits. One constant for every instance of the same table: a simulator keeps it once,
// where a memory would be kept, and miss the cache, once per lane.

module takt_rom #(
    parameter int                         WIDTH = 32,
    parameter int                         DEPTH = 64,
    parameter logic [WIDTH * DEPTH - 1:0] WORDS = '0
) (
    input  logic [$clog2(DEPTH) - 1:0] index,
    output logic [WIDTH - 1:0]         word
);

`ifdef SYNTHESIS
    logic [WIDTH - 1:0] words [0:DEPTH - 1];

    initial for (int i = 0; i < DEPTH; i++) words[i] = WORDS[i * WIDTH +: WIDTH];

    assign word = words[index];
`else
    assign word = WORDS[index * WIDTH +: WIDTH];
`endif

endmodule
