// Correction of one flipped bit, combinational; all 0 without `en`. The code is that of arch/ecc.py.
//
// Behavioural, so that a simulator decodes only what is read. MASKS has the bits that each check bit belongs to, its own
// among them, over the whole code word: data bits lowest, then the check bits, then the parity bit.

module takt_ecc_decode #(
    parameter int DATA = 128,
    parameter int CHECKS = 8,
    parameter logic [CHECKS * (DATA + CHECKS + 1) - 1:0] MASKS = '0
) (
    input  logic                  en,
    input  logic [DATA + CHECKS:0] word,
    output logic [DATA - 1:0]     data,
    output logic                  corrected,
    output logic                  uncorrectable
);

    localparam int WIDTH = DATA + CHECKS + 1;

    // In a function, so that each output is assigned once: with one that was 0 for a moment in every evaluation, Icarus
    // did not come to rest in the tiles of MEM.
    function automatic logic [DATA + 1:0] decode(input logic [WIDTH - 1:0] code);
        logic [CHECKS - 1:0] syndrome;
        logic [CHECKS - 1:0] skipped;
        logic [CHECKS - 1:0] place;
        logic [DATA - 1:0] flip;
        // The number of the flipped bit; a power of two is that of a check bit, 0 that of the parity bit.
        syndrome = '0;
        for (int i = 0; i < CHECKS; i = i + 1)
            syndrome[i] = ^(code & MASKS[i * WIDTH +: WIDTH]);
        // Data bits are numbered from 3 on, powers of two left out: below a number lie as many as it has bits.
        skipped = '0;
        for (int i = 0; i < CHECKS; i = i + 1)
            if (syndrome[i]) skipped = CHECKS'(i + 2);
        place = syndrome - skipped;
        flip = '0;
        if (^code && (syndrome & (syndrome - 1'b1)) != '0)
            flip = {{(DATA - 1){1'b0}}, 1'b1} << place;
        decode = {~^code & (syndrome != '0), ^code, code[DATA - 1:0] ^ flip};
    endfunction

    always_comb
        if (en) {uncorrectable, corrected, data} = decode(word);
        else {uncorrectable, corrected, data} = '0;

endmodule
