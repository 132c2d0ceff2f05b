#!/usr/bin/env bash
# Compares Sfumato with diffusers, OpenVINO and onnxruntime on this CPU: run.sh [--quick] [--json FILE] [--report FILE] (--help has more).
# run.sh tokens [--dtype bf16] [--count N]: a Transformer that writes a picture token by token, beside PyTorch.
# run.sh operators [--json FILE] [--report FILE]: single operators, beside PyTorch.
# run.sh training [--json FILE] [--report FILE]: a training step, beside PyTorch.
# Models with random weights and the peers' Python packages go to a scratch folder, $SFUMATO_BENCH or ~/.cache/sfumato-bench;
# $SFUMATO_BENCH_PYTHON names a Python that has the packages already.
set -euo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)
work=${SFUMATO_BENCH:-$HOME/.cache/sfumato-bench}
mkdir -p "$work"

python=${SFUMATO_BENCH_PYTHON:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
    echo "bench: installing the peers into $work/venv ..." >&2
    rm -rf "$work/venv"
    python3 -m venv "$work/venv"
    pip() { "$work/venv/bin/python" -m pip install -q --disable-pip-version-check "$@" >&2; }
    if ! pip torch diffusers transformers safetensors accelerate; then
        rm -rf "$work/venv"
        echo "bench: the peers cannot be installed" >&2
        exit 1
    fi
    pip openvino || echo "bench: without OpenVINO" >&2
    case " $* " in
        *" --quick "*) ;;
        *) pip onnxruntime onnx onnxscript || echo "bench: without onnxruntime" >&2 ;;
    esac
fi
built=$home/bench/target/built
if [ ! -e "$built" ] || [ -n "$(find "$home"/pom.xml "$home"/*/pom.xml "$home"/*/src/main -newer "$built" -print -quit)" ]; then
    echo "bench: building Sfumato ..." >&2
    (cd "$home" && mvn -q -B -DskipTests package >&2)
    touch "$built"
fi
script=compare.py
case ${1:-} in
    tokens | operators | training)
        script=$1.py
        shift
        ;;
esac
exec "$python" "$home/bench/$script" --work "$work" "$@"
