// fp16 numbers taken apart, combinational; 0 without `en`.
//
// Behavioural, so that a simulator decodes weights only when they are installed. A number of lane i is in the 32-bit slot i:
// its significand with its sign in [15:0], the place of the significand's lowest bit above 2**-24 in [20:16], and in
// [21] to [24] sign, zero, infinity, NaN.

module takt_fp16_decode #(
    parameter int COUNT = 16
) (
    input  logic                  en,
    input  logic [COUNT*8 - 1:0]  low,
    input  logic [COUNT*8 - 1:0]  high,
    output logic [COUNT*32 - 1:0] numbers
);

    function automatic logic [31:0] decode(input logic [15:0] bits);
        logic        normal, special, whole;
        logic [15:0] magnitude;
        logic [31:0] number;
        normal        = bits[14:10] != 5'd0;
        special       = bits[14:10] == 5'd31;
        whole         = bits[9:0] == 10'd0;
        magnitude     = {5'd0, normal, bits[9:0]};
        number        = '0;
        number[15:0]  = bits[15] ? -magnitude : magnitude;
        number[20:16] = bits[14:10] - {4'd0, normal};
        number[21]    = bits[15];
        number[22]    = ~normal & whole;
        number[23]    = special & whole;
        number[24]    = special & ~whole;
        decode        = number;
    endfunction

    always_comb begin
        numbers = '0;
        if (en)
            for (int i = 0; i < COUNT; i++)
                numbers[i*32 +: 32] = decode({high[i*8 +: 8], low[i*8 +: 8]});
    end

endmodule
