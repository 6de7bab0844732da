// Words of many by a number each, combinational: output i is input `index` i, or 0 where that is COUNT or more; all 0
// without `en`.
//
// A loop of dynamic part selects in a module of its own, because 320 times 320 written out would take Amaranth and a
// simulator's compiler minutes, and because a simulator then works only when a result is wanted.

module takt_crossbar #(
    parameter int WIDTH = 8,
    parameter int COUNT = 16
) (
    input  logic                                   en,
    input  logic [$clog2(COUNT + 1) * COUNT - 1:0] index,
    input  logic [WIDTH * COUNT - 1:0]             words,
    output logic [WIDTH * COUNT - 1:0]             out
);

    localparam int BITS = $clog2(COUNT + 1);

    always_comb begin
        out = '0;
        if (en)
            for (int i = 0; i < COUNT; i = i + 1)
                if (index[i * BITS +: BITS] < COUNT)
                    out[i * WIDTH +: WIDTH] = words[index[i * BITS +: BITS] * WIDTH +: WIDTH];
    end

endmodule
