// Which units have an event, and how many events there are, combinational.
//
// Events of unit u are at bits [u * ROWS +: ROWS]. Behavioural loops behind one test of all bits, because a simulator
// then does nothing in the many cycles without an event.

module takt_event_scan #(
    parameter int UNITS = 144,
    parameter int ROWS  = 20
) (
    input  logic [UNITS * ROWS - 1:0]            events,
    output logic                                 any,
    output logic [$clog2(UNITS + 1) - 1:0]       first,
    output logic [$clog2(UNITS * ROWS + 1) - 1:0] count
);

    always_comb begin
        any   = |events;
        first = '0;
        count = '0;
        if (any) begin
            for (int u = UNITS - 1; u >= 0; u--)
                if (|events[u * ROWS +: ROWS]) first = ($clog2(UNITS + 1))'(u);
            for (int i = 0; i < UNITS * ROWS; i++)
                count = count + ($clog2(UNITS * ROWS + 1))'(events[i]);
        end
    end

endmodule
