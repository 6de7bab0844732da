// Single-port synchronous SRAM, the place where a macro goes.
//
// One access per cycle: with `en`, `we` writes `wdata`, else `rdata` shows the word LATENCY cycles later
// (1: array output, 2: with an output register) and holds it until the next read.
// No reset. Words are zero at the start of a simulation, as in the golden model; a macro's are not.

module takt_sram #(
    parameter int WIDTH   = 128,
    parameter int DEPTH   = 4096,
    parameter int LATENCY = 1
) (
    input  logic                                         clk,
    input  logic                                         en,
    input  logic                                         we,
    input  logic [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0] addr,
    input  logic [WIDTH - 1:0]                           wdata,
    output logic [WIDTH - 1:0]                           rdata
);

    logic [WIDTH - 1:0] words [0:DEPTH - 1];
    logic [WIDTH - 1:0] s1_rdata;

    always_ff @(posedge clk)
        if (en) begin
            if (we) words[addr] <= wdata;
            else    s1_rdata <= words[addr];
        end

    generate
        if (LATENCY == 2) begin : g_output_register
            logic [WIDTH - 1:0] s2_rdata;
            logic               s1_read;

            always_ff @(posedge clk) begin
                s1_read <= en && !we;
                if (s1_read) s2_rdata <= s1_rdata;
            end
            assign rdata = s2_rdata;

`ifndef SYNTHESIS
            initial begin
                s2_rdata = '0;
                s1_read  = 1'b0;
            end
`endif
        end else begin : g_array_output
            assign rdata = s1_rdata;
        end
    endgenerate

`ifndef SYNTHESIS
    initial begin
        if (LATENCY != 1 && LATENCY != 2) $fatal(1, "LATENCY must be 1 or 2, not %0d", LATENCY);
        for (int i = 0; i < DEPTH; i++) words[i] = '0;
        s1_rdata = '0;
    end
`endif

endmodule
