/** What the set-ups are made of, apart from the commands themselves. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** Makes `target` under another name first, so that a stopped run leaves nothing half done under its own. */
export function whole(target, make) {
  if (existsSync(target)) return;
  const partial = `${target}.part`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  make(partial);
  renameSync(partial, target);
}

/**
 * Another version of anything in `home` is another set-up and takes the place of the one that is there. Returns whether it
 * is one for CUDA: as asked for, else as it was.
 */
export function startOver(home, versions, cuda) {
  const stamp = join(home, 'made-of.json');
  const before = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '{}';
  const forCuda = cuda ?? JSON.parse(before).cuda ?? false;
  const wanted = JSON.stringify({ cuda: forCuda, ...versions });
  if (before === wanted) return forCuda;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(stamp, wanted);
  return forCuda;
}

/** The CUDA libraries that a TensorFlow wheel was built with, e.g. `nvidia-cudnn-cu12==9.3.0.75`, by its METADATA. */
export function cudaPackages(metadata) {
  return metadata.split('\n').flatMap((line) => {
    const found = /^Requires-Dist: (nvidia-[\w-]+) ?\(?([^;)]*)\)? *; extra == ["']and-cuda["']/.exec(line);
    return found === null ? [] : [`${found[1]}${found[2].trim()}`];
  });
}

/** All in one call: the packages share the folder nvidia/, and a later call with --target takes away that of an earlier. */
export function installAll(exactly, folder, packages) {
  return ['install', ...exactly, '--upgrade', '--target', folder, ...packages];
}

/** Links to the libraries below `site`/nvidia beside libtensorflow, where its loader looks. Returns their names. */
export function linkCuda(site) {
  const [nvidia, beside] = [join(site, 'nvidia'), join(site, 'tensorflow')];
  return readdirSync(nvidia).flatMap((part) => {
    const lib = join(nvidia, part, 'lib');
    const files = existsSync(lib) ? readdirSync(lib).filter((name) => name.includes('.so')) : [];
    for (const file of files) symlinkSync(relative(beside, join(lib, file)), join(beside, file));
    return files;
  });
}

/** Why a set-up for CUDA has no GPU: [fact, remedy]; undefined if it has one. `buildInfo` is TensorFlow's build_info.py. */
export function gpuFault(buildInfo, findsGpu) {
  if (!/["']is_cuda_build["']: True/.test(buildInfo))
    return [
      'this libtensorflow has no GPU support built in',
      'TensorFlow publishes its CUDA build for Linux on x64. Use --no-cuda here.',
    ];
  if (!findsGpu)
    return [
      'this libtensorflow has GPU support and finds no GPU',
      'nvidia-smi must list one, with a driver for CUDA 12; TF_CPP_MIN_LOG_LEVEL=0 says which library it misses. Or use --no-cuda.',
    ];
  return undefined;
}

/** What onnxruntime-node's own script fetches for `os`/`arch`: file names. None: it fetches nothing and still ends well. */
export function cudaProviders({ requirements, manifests }, os, arch) {
  const system = `${os}/${arch}`;
  if (!requirements[system]?.includes('cuda12')) return [];
  return Object.keys(manifests[`${system}:cuda12`]).map((file) => basename(file));
}
