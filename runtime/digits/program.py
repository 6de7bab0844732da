"""The quantised network as a program."""

from arch.config import Config
from arch.image import Image
from runtime.digits.quantised import QuantisedMlp

__all__ = ["compile_digits"]


def compile_digits(config: Config, network: QuantisedMlp, batch: int) -> Image:
    """Compile the network for a batch of images.

    Parameters
    ----------
    config
        The machine.
    network
        Its weights and biases become constants of the image.
    batch
        Images per run.

    Returns
    -------
    Image
        With the input ``pixels``, int8 (batch, 64), and the output ``logits``, int32 (batch, 10).

    Raises
    ------
    TaktError
        When it does not fit the machine.
    """
    from compiler.program import Program

    program = Program(config, f"digits, {batch} images")
    value = program.input("pixels", (batch, network.layers[0].weights.shape[0]), "int8")
    for number, layer in enumerate(network.layers):
        value = program.matmul(
            value,
            program.constant(f"weights{number}", layer.weights),
            bias=program.constant(f"bias{number}", layer.bias),
            scale=layer.scale,
            relu=layer.scale is not None,
        )
    program.output("logits", value)
    return program.compile()
