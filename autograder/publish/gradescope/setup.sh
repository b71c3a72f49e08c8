#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image of this assignment.
set -euo pipefail
cd "${AUTOGRADER_ROOT:-/autograder}/source"

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3 python3-pip python3-venv libseccomp2 ca-certificates

# Python 3.11 or later; where the image's is older, uv brings one, to a place that other users may read.
if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    python3 -m venv /opt/grader
else
    python3 -m pip install uv
    UV_PYTHON_INSTALL_DIR=/opt/python python3 -m uv venv --python 3.12 --seed /opt/grader
fi

# The versions of the repository's lock file, those of what torch needs too; then the CPU build of torch alone, from
# PyTorch's own index: a tenth of the size of the default one.
/opt/grader/bin/pip install --no-cache-dir -r requirements.txt
/opt/grader/bin/pip install --no-cache-dir --no-deps -r requirements-torch.txt --index-url "${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}"
chmod -R a+rX /opt/grader /opt/python 2>/dev/null || true
/opt/grader/bin/python -c "import torch, safetensors, cloudpickle, gradescope_utils; print('ready: torch', torch.__version__)"
