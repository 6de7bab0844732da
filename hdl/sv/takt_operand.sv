// Register of an ALU operand: some aligned streams, a result of the mesh, the ALU's own result, or 0.
//
// One clocked process rather than an expression before a register, because a simulator then copies just the words that
// are wanted, and does nothing while `clk` stands still. The sources' codes are those of `arch.isa.table.Source`.

module takt_operand #(
    parameter int WIDTH  = 512,
    parameter int GROUPS = 8,
    parameter int ROWS   = 4
) (
    input  logic                                           clk,
    input  logic                                           en,
    input  logic [1:0]                                     source,
    input  logic                                           direction,
    input  logic [(GROUPS > 1 ? $clog2(GROUPS) : 1) - 1:0] group,
    input  logic [1:0]                                     row,
    input  logic [WIDTH * GROUPS - 1:0]                    east,
    input  logic [WIDTH * GROUPS - 1:0]                    west,
    input  logic [WIDTH * ROWS - 1:0]                      mesh,
    input  logic [WIDTH - 1:0]                             own,
    output logic [WIDTH - 1:0]                             word
);

    always_ff @(posedge clk) begin
        if (en) begin
            case (source)
                2'd0: begin
                    if (direction) word <= west[group * WIDTH +: WIDTH];
                    else word <= east[group * WIDTH +: WIDTH];
                end
                2'd1: word <= mesh[row * WIDTH +: WIDTH];
                2'd2: word <= own;
                default: word <= '0;
            endcase
        end
    end

endmodule
