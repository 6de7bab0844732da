// Correction of one flipped bit, combinational; all 0 without `en`. The code is that of arch/ecc.py.
//
// Behavioural, so that a simulator decodes only what is read. MASKS has the bits that each check bit belongs to, its own
// among them, over the whole code word: data bits lowest, then the check bits, then the parity bit.

module takt_ecc_decode #(
    parameter int DATA = 128,
    parameter int CHECKS = 8,
    parameter logic [CHECKS * (DATA + CHECKS + 1) - 1:0] MASKS = '0
) (
    input  logic                   en,
    input  logic [DATA + CHECKS:0] word,
    output logic [DATA - 1:0]      data,
    output logic                   corrected,
    output logic                   uncorrectable
);

    localparam int WIDTH = DATA + CHECKS + 1;

    // One assignment of a function's result: with a block that sets its outputs to 0 first, Icarus 11 was seen to go round
    // for ever in one cycle of a MEM tile.
    function automatic logic [DATA + 1:0] decode(input logic wanted, input logic [WIDTH - 1:0] coded);
        logic [CHECKS - 1:0] syndrome, skipped, place;
        logic [DATA - 1:0]   right;
        logic                odd;
        int                  i;
        // All have a value on every path, the counter too: synthesis finds no latch.
        i        = 0;
        syndrome = '0;
        skipped  = '0;
        place    = '0;
        right    = '0;
        odd      = 1'b0;
        if (wanted) begin
            right = coded[DATA - 1:0];
            odd   = ^coded;
            // The number of the flipped bit; a power of two is that of a check bit, 0 that of the parity bit. Data bits
            // are numbered from 3 on, powers of two left out: below a number lie as many as it has bits.
            for (i = 0; i < CHECKS; i = i + 1) begin
                syndrome[i] = ^(coded & MASKS[i * WIDTH +: WIDTH]);
                if (syndrome[i]) skipped = CHECKS'(i + 2);
            end
            place = syndrome - skipped;
            if (odd && (syndrome & (syndrome - 1'b1)) != '0)
                right = right ^ ({{(DATA - 1){1'b0}}, 1'b1} << place);
        end
        decode = {~odd & (syndrome != '0), odd, right};
    endfunction

    assign {uncorrectable, corrected, data} = decode(en, word);

endmodule
