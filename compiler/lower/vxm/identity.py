"""The pass that copies vectors from one place to another."""

import numpy as np

from arch.config import Config
from compiler.ir.lanes import Numbers
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass, Result
from compiler.mesh.graph import Graph, Kind, Node, Port, Ref
from compiler.mesh.keepers import BITS


def identity(config: Config, tensor: Tensor, vectors: Numbers) -> Pass:
    """Return the pass that copies some vectors of a tensor to another copy of it."""
    bits = BITS[tensor.itemsize]
    graph = Graph((Node("PASS", bits, bits, (Ref(Kind.PORT, 0),)),), (Port(0, bits),), (0,))
    operand, result = Operand(tensor, None, vectors), Result(tensor, vectors)
    return Pass(config, f"copy of {tensor.name}", graph, (operand,), (result,), np.zeros(len(vectors), np.bool_))
