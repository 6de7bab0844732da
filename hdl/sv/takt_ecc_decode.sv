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

    logic [CHECKS - 1:0] syndrome;
    logic [CHECKS - 1:0] skipped;
    logic [CHECKS - 1:0] place;

    always_comb begin
        data = '0;
        corrected = 1'b0;
        uncorrectable = 1'b0;
        syndrome = '0;
        skipped = '0;
        place = '0;
        if (en) begin
            data = word[DATA - 1:0];
            corrected = ^word;
            // The number of the flipped bit; a power of two is that of a check bit, 0 that of the parity bit.
            for (int i = 0; i < CHECKS; i = i + 1)
                syndrome[i] = ^(word & MASKS[i * WIDTH +: WIDTH]);
            uncorrectable = ~corrected & (syndrome != '0);
            // Data bits are numbered from 3 on, powers of two left out: below a number lie as many as it has bits.
            for (int i = 0; i < CHECKS; i = i + 1)
                if (syndrome[i]) skipped = CHECKS'(i + 2);
            place = syndrome - skipped;
            if (corrected && (syndrome & (syndrome - 1'b1)) != '0)
                data = data ^ ({{(DATA - 1){1'b0}}, 1'b1} << place);
        end
    end

endmodule
