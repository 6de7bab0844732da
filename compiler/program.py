"""Programs: tensors and operations, which kernels are written against."""

from arch.errors import TaktError
from arch.image import Image
from arch.image_header import check_name
from compiler.arguments import integer
from compiler.declare.padding import clear_padding
from compiler.driver import compile_program
from compiler.frontend.arrays import Arrays
from compiler.frontend.size import check_size
from compiler.frontend.superlanes import superlanes_of
from compiler.ir.source import Control, Source
from compiler.ir.tensor import Tensor, View, as_view


class Program(Arrays):
    """Tensors and operations, to be compiled for one machine.

    A tensor lives in MEM in *vectors* of `vector_length` lanes along one of its axes, the lane axis (`layout`: ``rows``
    for the last one, ``columns`` for the one before it, or its number); the other axes are steps of time. Wherever an
    operation takes a tensor it takes a view of one too (``x[1:]``, ``x.reshape(...)``, ``x.transpose(...)``,
    ``x.pad(...)``). Lanes never meet in the VXM; operations choose the lane axis for which the least has to move, and
    have results rearranged that lie otherwise. No element ever depends on what vectors hold beyond the end of the lane
    axis, and what a view pads is zero for every operation: see `compiler.declare.padding`.

    Not supported, and why:

    * products of other formats than int8 by int8 and float16 by float16, which are what planes multiply: cast before;
    * float64, complex and unsigned results, and results of 64 bits: no unit has them (`input` says what the host
      converts; values that do not fit are refused at run time);
    * an output that is an input or a constant: the host has it;
    * an empty tensor, and one of no axis but as a view of a result: a vector has an element;
    * a view of more than 2**29 elements: their numbers are int32;
    * scatter into a state that is no matrix in rows, or has more than `mem_depth` of them: SCATTER addresses one bank;
    * in a state, more than one `update`, or an update beside a scatter: its value for the next run would be two;
    * reductions other than add, max and min, and sums of float16 in float16: an ALU adds up in float32.

    Examples
    --------
    >>> from arch.presets import preset
    >>> from compiler.expression.functions import cast, relu
    >>> program = Program(preset("small"), name="layer")
    >>> x = program.input("x", (300, 64), "int8")
    >>> w = program.constant("w", weights)                       # int8, (64, 32)
    >>> y = program.matmul(x, w, bias=bias, scale=0.01, relu=True)
    >>> z = program.map(lambda a, b: relu(cast(a, "int32") + b), y, offsets)    # int32, (32,): broadcast
    >>> largest = program.reduce(z, "max", axis=0)               # int32, (32,)
    >>> program.output("largest", largest)
    >>> image = program.compile()

    Parameters
    ----------
    config : Config
    name : str
        What the program is, for reports.
    """

    def barrier(self) -> None:
        """Let everything from here on start after the end of everything before.

        Queues wait for one another: they park with SYNC in one cycle, in which one of them gives NOTIFY.

        Raises
        ------
        TaktError
            When there is no operation before it.
        """
        if not self._operations:
            raise TaktError("barrier must come after an operation, not first")
        self._barriers.add(self._operations[-1])

    def configure(self, superlanes: int) -> None:
        """Let operations from here on use the lower superlanes only; the others are switched off.

        Every queue that is used gets CONFIG before its first word, and another one, with all superlanes, where a
        `configure` of all superlanes or the program ends them. What begins here issues after everything before has
        issued. Vectors of the operations between have no more elements than the superlanes have lanes; what the
        lanes beyond hold afterwards is not defined. States are updated with all superlanes.
        Program text comes from slices that are not limited at the time: a long stretch needs one that it does not use.

        Raises
        ------
        TaktError
            For a number that the machine does not have.
        """
        found = integer("superlanes", superlanes, 1, self._config.superlanes)
        self._stretches.append((len(self._operations), found))

    def output(self, name: str, tensor: Tensor | View) -> None:
        """Let the host read a result after each run, as `name`; in the arrangement of a view.

        The host reads each element once: a view with zeros or with an element twice is copied first.

        Raises
        ------
        TaktError
            For a name in use, or a tensor that no operation made.
        """
        check_name("name of an output", name)
        if not self._is_stored(as_view(tensor).tensor):
            raise TaktError(f"output must be a result of this program, not {tensor.name!r}")
        if name in self._outputs:
            raise TaktError(f"output name must be new, not {name!r}")
        self._outputs[name] = self._held(as_view(tensor))

    def compile(self) -> Image:
        """Return the verified image, with its predicted cycles.

        Raises
        ------
        TaktError
            When there is no output, the program exceeds MEM (saying by how much) or a queue, or an operation cannot do
            with the superlanes that are on.
        """
        if not self._outputs:
            raise TaktError("program must have an output, not none")
        for state, update in self._updates.items():
            if update is None and state not in self._scattered:
                raise TaktError(f"state must be updated, not {state.name!r} left as it is: make it a constant")
        given = [update for update in self._updates.values() if update is not None]
        check_size(self._config, self._name, [*self._operations, *given])
        cleared = clear_padding(self._operations, self._updates, self._needs, self._mask)
        operations = cleared.operations
        updates = {state: update for state, update in cleared.updates.items() if update is not None}
        barriers = {after for op, after in zip(self._operations, operations, strict=True) if op in self._barriers}
        source = Source(
            config=self._config,
            name=self._name,
            operations=operations,
            tensors=list(self._tensors.values()),
            stored=self._is_stored,
            outputs=self._outputs,
            states=self._updates.keys(),
            updates=updates,
            scattered=self._scattered,
            control=Control(barriers, superlanes_of(self._config, operations, self._stretches)),
        )
        return compile_program(source)
