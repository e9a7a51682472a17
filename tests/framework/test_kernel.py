"""`dl.kernel`: operations in CUDA C, differentiated, trained with, refused in words."""

import subprocess
import sys
from math import prod

import numpy as np
import pytest

import minidl as dl
from minidl.hardware.simt import KernelFault

BIAS_GELU = """
#define SLOPE 0.7978845608028654
#define CUBIC 0.044715

extern "C" __global__ void bias_gelu(const real* x, const real* bias, real* out,
                                     int n, int features) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    real z = x[i] + bias[i % features];
    real inner = (real)SLOPE * (z + (real)CUBIC * z * z * z);
    out[i] = (real)0.5 * z * ((real)1 + tanh(inner));
}

// What the gradient of the result becomes at x + bias.
extern "C" __global__ void bias_gelu_back(const real* slope, const real* x,
                                          const real* bias, real* out, int n,
                                          int features) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    real z = x[i] + bias[i % features];
    real t = tanh((real)SLOPE * (z + (real)CUBIC * z * z * z));
    real steep = (real)SLOPE * ((real)1 + 3 * (real)CUBIC * z * z);
    out[i] = slope[i] * (real)0.5 * ((real)1 + t + z * ((real)1 - t * t) * steep);
}

// The sum over rows: a thread for each column.
extern "C" __global__ void column_sum(const real* x, real* out, int rows, int cols) {
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    if (col >= cols) return;
    real sum = 0;
    for (int row = 0; row < rows; ++row) sum += x[row * cols + col];
    out[col] = sum;
}
"""


def over_elements(out, *shapes):
    n = prod(out)
    return ((n + 127) // 128,), (128,), n, shapes[-1][-1]


bias_gelu_back = dl.kernel(BIAS_GELU, "bias_gelu_back", over_elements)
column_sum = dl.kernel(
    BIAS_GELU, "column_sum", shape=lambda x: x[1:],
    launch=lambda out, x: ((out[0] // 128 + 1,), (128,), *x),
)  # fmt: skip
bias_gelu = dl.kernel(
    BIAS_GELU, "bias_gelu", over_elements,
    vjp=(lambda g, x, bias: bias_gelu_back(g, x, bias),
         lambda g, x, bias: column_sum(bias_gelu_back(g, x, bias))),
)  # fmt: skip
SQUARE = """
extern "C" __global__ void square(const float* x, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = x[i] * x[i];
}"""


def own_ops(x, bias):
    z = x + bias
    return 0.5 * z * (1 + (0.7978845608028654 * (z + 0.044715 * z**3)).tanh())


def test_gradients_in_cuda_agree_with_differences(rng):
    x = dl.tensor(rng.standard_normal((3, 5)), requires_grad=True)
    bias = dl.tensor(rng.standard_normal(5), requires_grad=True)
    assert dl.gradcheck(bias_gelu, (x, bias))


def test_values_are_those_of_the_librarys_own_operations(rng):
    x, bias = rng.standard_normal((300, 7)), rng.standard_normal(7)
    found = bias_gelu(dl.tensor(x), dl.tensor(bias)).numpy()
    np.testing.assert_allclose(found, own_ops(dl.tensor(x), dl.tensor(bias)).numpy())


class Net(dl.nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.hidden = dl.nn.Linear(2, 16, bias=False)
        self.bias = dl.nn.Parameter(dl.zeros(16))
        self.out = dl.nn.Linear(16, 1)
        self.activation = activation

    def forward(self, x):
        return self.out(self.activation(self.hidden(x), self.bias))


def losses(activation, x, y, steps=40):
    dl.manual_seed(1)
    model = Net(activation).to(x.device)
    optimizer = dl.optim.Adam(model.parameters(), lr=0.03)
    found = []
    for _ in range(steps):
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def product_of_two(rng, device="cpu"):
    x = rng.uniform(-1, 1, (64, 2)).astype(np.float32)
    return dl.tensor(x, device=device), dl.tensor(x[:, :1] * x[:, 1:], device=device)


def test_a_network_trains_with_it_as_with_the_librarys_own_operations(rng):
    x, y = product_of_two(rng)
    cuda = losses(bias_gelu, x, y)
    np.testing.assert_allclose(cuda, losses(own_ops, x, y), rtol=1e-3)
    assert cuda[-1] < cuda[0] / 10


@pytest.mark.gpu
@pytest.mark.skipif(not dl.devices()[1].available, reason="no GPU that CuPy finds")
def test_a_network_trains_the_same_on_a_gpu(rng):
    x, y = product_of_two(rng)
    on_gpu = losses(bias_gelu, x.to("cuda"), y.to("cuda"))
    np.testing.assert_allclose(on_gpu, losses(bias_gelu, x, y), rtol=1e-2)


def square(source=SQUARE, launch=over_elements):
    def launched(out, x):
        return launch(out, x)[:3]

    return dl.kernel(source, "square", launched)


def test_a_transposed_input_and_an_empty_one_are_right():
    x = dl.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).T
    assert square()(x).tolist() == [[1.0, 16.0], [4.0, 25.0], [9.0, 36.0]]
    assert square()(dl.zeros(0, 3)).shape == (0, 3)


def test_the_dtype_of_an_input_is_the_kernels():
    with pytest.raises(TypeError, match="the kernel's `x` is float, found float64"):
        square()(dl.ones(3, dtype=dl.float64))


def test_a_launch_gives_as_many_numbers_as_the_kernel_takes():
    wrong = dl.kernel(SQUARE, "square", over_elements)
    with pytest.raises(ValueError, match="launch gave 2 numbers .* takes 1"):
        wrong(dl.ones(3, 3))


@pytest.mark.parametrize(
    "parameters",
    ["float* x, float* out, int n", "int n, const float* x, float* out",
     "const float4* x, float* out, int n", "float* out, int n", "const float* x"],
)  # fmt: skip
def test_other_parameters_are_refused_in_words(parameters):
    source = f'extern "C" __global__ void square({parameters}) {{ }}'
    with pytest.raises(ValueError, match="then one pointer for the result, then num"):
        square(source)


def test_a_fault_names_the_line_of_the_source_that_was_given():
    source = SQUARE.replace("if (i < n) ", "")
    with pytest.raises(KernelFault) as fault:
        square(source)(dl.ones(5))
    assert fault.value.kind == "out of bounds"
    assert "out[i] = x[i]" in source.splitlines()[fault.value.line - 1]


def test_importing_minidl_does_not_import_the_simulated_gpu():
    code = "import minidl, sys; print('minidl.hardware.simt' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "False", found.stderr
