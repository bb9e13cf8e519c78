#!/usr/bin/env bash
# The whole check on a machine with an NVIDIA GPU and no network, from files carried there. With a Python that has PyTorch, the
# same card is timed with it.
#
#   npm run build && npm run bench:build && bench/gpu-check.sh --pack gpu-check.tar.xz     where there is a network
#   tar xf gpu-check.tar.xz && limbeck-gpu/bench/gpu-check.sh [--python PYTHON] [--models mlp,cnn]     on the other machine
#
# It says what is usable, trains digits-csv on every usable GPU device and on the CPU, and prints the table of
# step times. Needs no CUDA for its WebGPU part, only the card's Vulkan driver. Ends with code 1 if a training fails or is
# more than 0.3 points from the CPU's. Everything has a time limit, so that it ends within ten minutes.
set -euo pipefail
most_mib=64  # of the packed archive
deadline=590 # seconds after the start
table=200    # of which the trainings leave so many to the table
here="$PWD"
cd "$(dirname "$0")/.."

# Node itself, Limbeck, and those npm packages that a training and an export need; not what runs in browsers, nor binaries
# of other systems, nor of ECharts more than the bundle that reports load.
pack() { # FILE
  local file node system
  file="$(cd "$here" && realpath "$1")"
  target="$(mktemp -d)"
  trap 'rm -rf "$target"' EXIT
  node="$(node -p process.execPath)"
  system="$(node -p 'process.platform + "/" + process.arch')"
  mkdir -p "$target/limbeck-gpu/bin"
  cp "$node" "$target/limbeck-gpu/bin/node"
  {
    printf '%s\n' package.json dist node_modules/.cache/bench recipes/digits-csv.yaml datasets/index.json datasets/digits bench
    printf 'node_modules/echarts/%s\n' package.json dist/package.json dist/echarts.js
    npm ls --omit=dev --parseable --all | sed -n "s#^$(realpath .)/##p" |
      grep -vE '/node_modules/|^node_modules/(onnxruntime-web|@types|echarts|zrender)(/|$)'
  } | tar c --exclude='*.map' --exclude='*.ts' --exclude='*.tsbuildinfo' --exclude='node_modules/onnxruntime-node/bin' -T - |
    tar x -C "$target/limbeck-gpu"
  find node_modules/onnxruntime-node/bin -path "*/$system/*" -type f -print0 |
    tar c --null -T - | tar x -C "$target/limbeck-gpu"
  tar c -C "$target" limbeck-gpu | xz -T0 >"$file.part"
  mv "$file.part" "$file"
  du -m "$file"
  [ "$(stat -c %s "$file")" -le $((most_mib * 1024 * 1024)) ] ||
    { echo "$file: expected at most $most_mib MiB; leave out what a training does not load" >&2; return 1; }
}

if [ "${1:-}" = --pack ]; then
  pack "${2:?--pack needs a file name}"
  exit
fi

[ -x bin/node ] && PATH="$PWD/bin:$PATH"
cli=(node dist/cli.js)
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT

within() { # SECONDS COMMAND...: not longer, nor beyond the trainings' part of the deadline
  local most=$((deadline - table - SECONDS))
  [ "$1" -lt "$most" ] && most="$1"
  [ "$most" -gt 0 ] || { echo "no time is left" >&2; return 1; }
  timeout --kill-after=5 "$most" "${@:2}" || { local code=$?; [ "$code" -ne 124 ] || echo "stopped after $most s" >&2; return "$code"; }
}

# ONNX Runtime does not tell which adapter WebGPU took, and a software driver looks like a card to it.
adapters() {
  command -v nvidia-smi >/dev/null &&
    timeout 30 nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv || true
  local found
  found="$(command -v vulkaninfo >/dev/null && timeout 30 vulkaninfo --summary 2>/dev/null |
    sed -nE 's/^[[:space:]]*device(Type|Name)[[:space:]]*= //p' | paste -sd ' \n' | sed 's/^/  /')" || true
  case "$(printf %s "$found" | grep -c .)" in
    0) echo "WebGPU: adapter unknown (vulkaninfo is missing or finds none); it may be a software driver" ;;
    1) echo "WebGPU: the adapter that Vulkan has is" ;;
    *) echo "WebGPU: adapter unknown, one of those that Vulkan has:" ;;
  esac
  [ -z "$found" ] || printf '%s\n' "$found"
  case "$found" in *TYPE_CPU*) echo "  (TYPE_CPU is a software driver, no card)" ;; esac
}
adapters
within 90 "${cli[@]}" doctor

accuracy() { # of the distilled student on the test split, in percent
  node -e 'const { models } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    console.log((100 * models.find(({ id }) => id === "distilled").score.test).toFixed(2));' "$1"
}

train() { # NAME SETTING...
  local name="$1"
  shift
  within 120 "${cli[@]}" run recipes/digits-csv.yaml --out "$out" --set "name=$name" "$@" >"$out/$name.txt" 2>&1 ||
    { cat "$out/$name.txt" >&2; return 1; }
  accuracy "$out/$name/report.json"
}

failed=0
reference="$(train cpu --set device=cpu)" || { echo "digits-csv on cpu failed: nothing to compare with"; exit 1; }
echo "digits-csv on cpu: $reference %"
usable="$(within 90 "${cli[@]}" doctor --json | node -e '
  const { devices, engines } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const names = [...devices.filter(({ name }) => name !== "cpu"), ...engines.filter(({ name }) => name !== "onnxruntime")];
  console.log(names.filter(({ usable }) => usable).map(({ name }) => name).join(" "));')"
for name in $usable; do
  setting=(--set "device=$name")
  [ "$name" = tensorflow ] && setting=(--engine tensorflow)
  if got="$(train "$name" "${setting[@]}")"; then
    echo "digits-csv on $name: $got %"
    node -e 'process.exit(Math.abs(process.argv[1] - process.argv[2]) <= 0.3 ? 0 : 1)' "$got" "$reference" ||
      { echo "  more than 0.3 points from the cpu"; failed=1; }
  else
    echo "digits-csv on $name failed, see above"
    failed=1
  fi
done

left=$((deadline - SECONDS))
timeout --kill-after=5 "$left" node node_modules/.cache/bench/bench/engines.js --within "$((left - 10))" "$@" || failed=1
exit "$failed"
