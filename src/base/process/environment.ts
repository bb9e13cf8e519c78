import { homedir } from 'node:os';
import path from 'node:path';
import { launchers } from '../launchers.ts';
import type { Launch } from '../launchers.ts';
import { shardOf } from '../shard.ts';
import type { Shard } from '../shard.ts';

/** Sets the environment variables that libtensorflow reads when it is loaded; call it before. The user's settings take precedence. */
export function prepareTensorFlow({ threads = 0, gpu = true }: { threads?: number; gpu?: boolean } = {}): void {
  // Warnings and errors only.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  // By default it takes all memory of the GPU, which ONNX Runtime and other processes share.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  if (threads > 0) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  // The only way to compute on the CPU with a CUDA library: tfjs-node uses the first visible GPU.
  if (!gpu) process.env['CUDA_VISIBLE_DEVICES'] = '-1';
}

/**
 * Keeps ONNX Runtime from sending data about this machine and its models to Microsoft, as its packages for Linux and macOS do since 1.30, and from
 * writing files for that: a machine identifier and a database in the user's cache, and a log for each process in the temporary folder
 * (microsoft/onnxruntime#27379). The library reads the variable when it is initialized; call it before. The user's setting takes precedence.
 */
export function preventTelemetry(): void {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
}

/** True unless the user asks for texts without colours, see https://no-color.org. */
export function allowsColour(): boolean {
  const { NO_COLOR: no = '', TERM: terminal } = process.env;
  return no === '' && terminal !== 'dumb';
}

/** Variable of the environment that names the folder of what later runs can use again. */
export const CACHE_VARIABLE = 'LIMBECK_CACHE';

/** Folder of what later runs can use again; undefined if the user turned it off. By default it lies where the XDG Base Directory Specification says. */
export function cacheFolder(): string | undefined {
  const { [CACHE_VARIABLE]: given = '', XDG_CACHE_HOME: base = '' } = process.env;
  if (given === 'off') return undefined;
  return given || path.join(base || path.join(homedir(), '.cache'), 'limbeck');
}

/** Launch of this process as one of several that make a run together, with the name of the launcher; undefined without. */
export function ownLaunch(): { readonly launcher: string; readonly launch: Launch } | undefined {
  for (const { name, launched } of launchers.all()) {
    const launch = launched?.(process.env);
    if (launch !== undefined) return { launcher: name, launch };
  }
  return undefined;
}

/** Sets variables that a library reads when it is loaded; call it before. The user's settings take precedence. */
export function presetEnvironment(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}

/** The shard of this process, from `--shard i/n` or from the launcher that started it. */
export function ownShard(given: string | undefined): Shard {
  return shardOf(given, process.env);
}
