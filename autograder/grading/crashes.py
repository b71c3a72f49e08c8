"""What usually causes an exception: the line, the shapes that met there, and the mistake that most often leads to it.

Trusted side. All that is known comes from the worker as text (sandbox/worker.py); it is the student's own.
"""

import re

from autograder.sandbox.messages import Failure

USUAL: list[tuple[str, str]] = [  # a pattern of "Type: message", and the usual cause; {0}, {1} are its groups
    (r"(?:NameError|UnboundLocalError): .*'(\w+)'.* (?:is not defined|not associated with a value|referenced before)",
     "`{0}` has no value there: it was never assigned, only in a branch that was not taken, or is spelled another way"),
    (r"Boolean value of Tensor with more than one value",
     "a tensor of several values stands where one condition is needed, as in `if`, `and`, `max(...)`: "
     "use torch.where, torch.maximum or .any()"),
    (r"bitwise_xor_cpu.* not implemented for|unsupported operand type\(s\) for \^",
     "`^` is no power in Python but a bitwise operation: write `**`"),
    (r"'NoneType' object|unsupported operand .*'NoneType'|not 'NoneType'|not NoneType|must be .*, but got None",
     "something is None there: an optional argument that was left out, or a function that ends without `return`"),
    (r"unsupported operand type\(s\) for .*: '?(?:Tensor|str|list|tuple|dict|function|method|float|"
     r"int)'? and '?(\w+)'?",
     "an operand is not what the operation needs (`{0}`): was a function not called, or a list not made a tensor?"),
    (r"must be Tensor, not (float|int|str|list|tuple|method|function|builtin_function_or_method)",
     "a tensor is needed where a `{0}` stands: torch.tensor(...) makes one, and math.* takes numbers"),
    (r"mat1 and mat2 shapes cannot be multiplied|size mismatch, got|inconsistent tensor size|"
     r"expected size for first two",
     "the inner sizes of a matrix product differ: one of the two has to be transposed or reshaped"),
    (r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)",
     "two shapes that met do not broadcast ({0} against {1}): dimensions are compared from the last one, "
     "so (B,) meets images (B, C, H, W) only as (B, 1, 1, 1)"),
    (r"The expanded size of the tensor|shape mismatch: value|output with shape .* doesn't match the broadcast shape",
     "a value does not fit into the shape that it is put into"),
    (r"Sizes of tensors must match except in dimension",
     "tensors that are joined differ in another dimension than that of `dim`"),
    (r"stack expects each tensor to be equal size", "the tensors that are stacked have different shapes"),
    (r"shape '.*' is invalid for input of size|cannot reshape",
     "the new shape holds another number of values than the tensor"),
    (r"view size is not compatible", "`view` needs a contiguous tensor: use `reshape`"),
    (r"Dimension out of range", "the tensor has fewer dimensions than `dim` says"),
    (r"IndexError: (?:index .* is out of bounds|.*index out of range|list index|tuple index)|index .* is out of bounds",
     "an index runs beyond the end: positions and times count from 0 to n - 1"),
    (r"too many indices|slice\(\) cannot be applied to a 0-dim",
     "there are more indices than the tensor has dimensions"),
    (r"tensors used as indices must be|Expected tensor for argument .*indices|index must have the same|"
     r"dtype int64 for index",
     "an index has to be an integer tensor: .long()"),
    (r"only one element tensors can be converted|a Tensor with \d+ elements cannot be converted to Scalar|"
     r"only integer tensors of a single element|only length-1 arrays",
     "a tensor of several values stands where one number is needed: math.* and float() take one; torch.* takes "
     "tensors"),
    (r"element 0 of tensors does not require grad",
     "no gradient gets there: something was detached, or made by .item(), .data, torch.tensor(...) or under no_grad"),
    (r"One of the differentiated Tensors (?:appears to not have been used|does not require grad)",
     "what is differentiated does not depend on what it is differentiated by, or that was not asked for: "
     "requires_grad_()"),
    (r"grad can be implicitly created only for scalar outputs",
     "backward() and grad() start from one number: take the sum or the mean first"),
    (r"modified by an inplace operation|a leaf Variable that requires grad|a view of a leaf",
     "a tensor that a gradient needs is changed in place: `x = x + ...` instead of `x += ...`"),
    (r"Trying to backward through the graph a second time",
     "two backward passes go through the same graph: detach what the second one does not need"),
    (r"missing \d+ required (?:positional|keyword-only) argument", "a call hands over too few arguments"),
    (r"takes .*positional arguments? but \d+ (?:were|was) given", "a call hands over too many arguments"),
    (r"unexpected keyword argument '?(\w+)'?", "a call names an argument `{0}` that does not exist"),
    (r"received an invalid combination of arguments|argument '(\w+)' \(position \d+\) must be|expected .* as element",
     "a call of a torch function hands over something of another kind than it takes"),
    (r"'(\w+)' object is not callable",
     "brackets after a {0} call it: is a `*` missing, or does a variable bear a function's name?"),
    (r"'(\w+)' object is not subscriptable", "square brackets after a {0}: was a call meant?"),
    (r"not enough values to unpack|too many values to unpack|cannot unpack non-iterable",
     "the left side of an assignment has another number of names than there are values on the right"),
    (r"AttributeError: '?(\w+)'? object has no attribute '(\w+)'",
     "a {0} has no `{1}`: it is spelled another way, belongs to something else, or was never set"),
    (r"AttributeError: module '([\w.]+)' has no attribute '(\w+)'", "`{0}` has no `{1}`: it is spelled another way"),
    (r"expected (?:scalar type|m1 and m2|.*same dtype)|must have the same dtype|expected dtype|Found dtype",
     "tensors of different dtypes meet, such as float32 and float64, or integers where floats are needed"),
    (r"not implemented for '(?:Long|Int|Bool)'|could not infer output dtype|must be either a floating point|"
     r"can't be cast to the desired output type|Only Tensors of floating point",
     "the tensor holds integers where the operation needs floating point numbers: .float()"),
    (r"Expected all tensors to be on the same device", "tensors on different devices meet: .to(x.device)"),
    (r"ZeroDivisionError", "something is divided by 0, as by the first index"),
    (r"math domain error", "math.log or math.sqrt gets a number that it is not defined for"),
    (r"OverflowError", "a number outgrows what a float holds: use logarithms, or the stable form of the formula"),
    (r"RecursionError", "a function calls itself without end"),
    (r"KeyError: (.*)", "there is no entry {0}"),
    (r"ModuleNotFoundError|ImportError", "what is used there could not be imported"),
    (r"normal expects all elements of std|Expected parameter .* to satisfy",
     "a distribution gets a parameter that is not allowed, such as a negative standard deviation"),
    (r"all elements of input should be between 0 and 1",
     "a probability is needed where another number stands, such as a logit"),
    (r"Using a target size .* that is different to the input size|Target size .* must be the same as input size",
     "prediction and target have different shapes"),
    (r"object of type '(\w+)' has no len|'(\w+)' object is not iterable|iteration over a 0-d tensor",
     "a single value stands where several are needed"),
    (r"'(\w+)' object does not support item assignment", "a {0} cannot be changed in place: make a new one"),
    (r"can't assign a|can't convert|must be real number, not (\w+)|must be str",
     "a value is of another type than is needed"),
    (r"super\(\)", "`super()` is called in another way than the class allows"),
    (r"required argument '(\w+)'|takes (?:exactly|at least) \w+ argument", "a call hands over too few arguments"),
    (r"bad operand type for unary", "a sign stands before something that is no number or tensor"),
    (r"arg 3 must not be zero", "a range of step 0 never moves"),
    (r"AssertionError", "an `assert` of your own, or of given code, does not hold"),
    (r"TypeError: ", "something of another type stands there than the operation takes"),
    (r"ValueError: ", "a call gets a value that it does not allow"),
    (r"AttributeError: ", "what stands before the dot does not have what stands after it"),
    (r"RuntimeError: ", "torch cannot do this with these shapes, types or values"),
    (r"IndexError: ", "an index does not fit what it is put to"),
]  # fmt: skip


def crash(failure: Failure) -> str | None:
    """What usually causes it, with the line and the shapes that met; None where nothing usual is known."""
    if failure.kind == "memory":
        cause = ("shapes that broadcast to something enormous, such as (B,) against (B, 1), "
                 "or a list that keeps every step's graph")  # fmt: skip
    elif failure.kind == "exception" and not failure.unfinished:
        text = f"{failure.type}: {failure.message}"
        matches = ((re.search(pattern, text), cause) for pattern, cause in USUAL)
        cause = next((said.format(*(g or "" for g in m.groups())) for m, said in matches if m), "")
    else:
        cause = ""
    if not failure.line:
        return None  # it was not raised in the student's own code
    where = f"in `{failure.line}` ({failure.place.rpartition(', in ')[0] or failure.place}): "
    shapes = f" Shapes there: {', '.join(failure.shapes)}." if failure.shapes else ""
    return f"Usual cause, {where}{cause}.{shapes}" if cause else None
