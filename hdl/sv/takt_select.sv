// One word out of many, combinational; 0 without `en`.
//
// A dynamic part select of its own, because a simulator then copies one word, and only when it is wanted.

module takt_select #(
    parameter int WIDTH = 128,
    parameter int COUNT = 32
) (
    input  logic                                         en,
    input  logic [(COUNT > 1 ? $clog2(COUNT) : 1) - 1:0] index,
    input  logic [WIDTH * COUNT - 1:0]                   words,
    output logic [WIDTH - 1:0]                           word
);

    always_comb begin
        word = '0;
        if (en) word = words[index * WIDTH +: WIDTH];
    end

endmodule
