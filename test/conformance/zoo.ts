import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { OnnxGraph } from '../../src/formats/onnx/model.ts';
import type { InputShape } from '../../src/formats/onnx/sizes.ts';
import { convertFile } from '../../src/ship/convert.ts';
import type { ConvertOptions } from '../../src/ship/convert/options.ts';
import { openSource } from '../../src/ship/convert/source.ts';
import { runPython } from './python.ts';

/** A model file that somebody else made, with its samples beside it. */
export interface Found {
  readonly name: string;
  /** `package`, or the exporter of torch that wrote it. */
  readonly source: 'package' | 'torchscript' | 'dynamo';
  /** Why onnxruntime.quantization does not make an int8 file of it; empty where it does. */
  readonly notQuantized: string;
  /** Sizes of inputs that the file leaves open, and values of inputs; each is given where a refusal asks for it. */
  readonly said?: Readonly<Record<string, readonly number[] | number>>;
}

export type Kind = 'fp32.onnx' | 'int8.onnx' | 'fp32.tflite' | 'int8.tflite' | 'ort.onnx' | 'litert.tflite';

/** What `limbeck export --from` made of a file. */
export interface Made {
  readonly name: string;
  /** File names; those that were refused are missing. */
  readonly files: Partial<Record<Kind, string>>;
  readonly refusals: Partial<Record<Kind, Refusal>>;
  /** Those that are only written with --accept: too far from the source for the precision. */
  readonly accepted: readonly Kind[];
  /** Options that refusals of the file as it is asked for, in their order. */
  readonly asked: readonly string[];
  /** Signal to noise of the worst output in dB, as the export itself measured it. */
  readonly said: Partial<Record<Kind, number>>;
}

interface Refusal {
  readonly message: string;
  /** Of a `UserError`; undefined for what is none, a mistake of ours. */
  readonly hint: string | undefined;
}

const WANTED: readonly (readonly [Kind, Pick<ConvertOptions, 'format' | 'precision'>])[] = [
  ['fp32.onnx', { format: 'onnx', precision: 'fp32' }],
  ['int8.onnx', { format: 'onnx', precision: 'int8' }],
  ['fp32.tflite', { format: 'tflite', precision: 'fp32' }],
  ['int8.tflite', { format: 'tflite', precision: 'int8' }],
];

interface Likeness {
  readonly output: string;
  readonly sqnr: number;
  /** Largest difference, as a share of the output's range and as it is. */
  readonly error: number;
  readonly absolute: number;
}

/** Of each file that was made, beside the source on the same samples: the output that fares worst. */
export interface Measured {
  readonly name: string;
  readonly found: Partial<Record<Kind, Likeness>>;
  /** Outputs of the source that are the same for all samples: nothing can be wrong with them. */
  readonly still: readonly string[];
  /** Why LiteRT's quantizer does not make an int8 file of our float32 one; empty where it does. */
  readonly notQuantizedByLitert: string;
}

/** A folder that is kept where the variable ZOO names one: a run that was ended goes on in it. */
export function zooFolder(): { readonly folder: string; readonly close: () => void } {
  const kept = process.env['ZOO'];
  if (kept !== undefined) mkdirSync(kept, { recursive: true });
  const folder = kept ?? mkdtempSync(path.join(tmpdir(), 'zoo-'));
  return { folder, close: () => kept ?? rmSync(folder, { recursive: true, force: true }) };
}

/** What a note of the folder says; where there is none, what `make` gives, which is then noted. */
export async function noted<T>(folder: string, note: string, make: () => T | Promise<T>): Promise<T> {
  const file = path.join(folder, note);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T;
  const made = await make();
  // A run that is ended here leaves no half of a note.
  writeFileSync(`${file}.part`, JSON.stringify(made));
  renameSync(`${file}.part`, file);
  return made;
}

/** A file in all forms, and what others measure of them. */
export async function converted(folder: string, found: Found): Promise<{ made: Made; measured: Measured }> {
  const made = await noted(folder, `${found.name}.made.json`, () => makeAll(folder, found));
  const check = (): Measured => runPython('zoo_check.py', folder, found.name) as Measured;
  return { made, measured: await noted(folder, `${found.name}.measured.json`, check) };
}

/** The file in each form, from the samples beside it; with all answers written, so that others can measure them too. */
async function makeAll(folder: string, { name, notQuantized, said: known = {} }: Found): Promise<Made> {
  const files: Made['files'] = notQuantized === '' ? { 'ort.onnx': `${name}.ort.onnx` } : {};
  const refusals: Made['refusals'] = {};
  const said: Made['said'] = {};
  const beyond: Kind[] = [];
  const { shapes, asked } = await asAsked(path.join(folder, `${name}.onnx`), known);
  for (const [kind, form] of WANTED) {
    const file = `${name}.${kind}`;
    const [from, data, out] = [`${name}.onnx`, `${name}.npz`, file].map((one) => path.join(folder, one));
    try {
      const { outputs, accepted } = await convertFile({ from: from!, data, out, shapes, accept: true, ...form });
      files[kind] = file;
      if (accepted.length > 0) beyond.push(kind);
      said[kind] = Math.min(...outputs.map(({ sqnrDb }) => sqnrDb ?? Infinity));
    } catch (error) {
      const hint = error instanceof UserError ? error.hint : undefined;
      const message = error instanceof Error ? (hint === undefined ? error.stack : error.message) : undefined;
      refusals[kind] = { message: (message ?? String(error)).replaceAll(`${folder}/`, ''), hint };
      // What cannot be read cannot be written in any form.
      if (kind === 'fp32.onnx') break;
    }
  }
  return { name, files, refusals, said, asked, accepted: beyond };
}

/** Follows the remedies of refusals, `--shape NAME=…` and `--fix NAME=…`, until there is none that asks for what is known of the inputs. */
async function asAsked(from: string, known: NonNullable<Found['said']>) {
  const shapes = new Map<string, InputShape>();
  const asked: string[] = [];
  for (;;) {
    const hint = await hintOf(from, shapes);
    const found = [...hint.matchAll(/--(shape|fix) (\S+?)=/g)].find(
      ([, , name]) => name! in known && !shapes.has(name!),
    );
    if (found === undefined) return { shapes, asked };
    const [, option, name] = found;
    const value = known[name!]!;
    if ((option === 'fix') !== (typeof value === 'number')) return { shapes, asked };
    shapes.set(name!, typeof value === 'number' ? { value } : value);
    asked.push(`--${option} ${name}=${typeof value === 'number' ? value : value.join(',')}`);
  }
}

/** Remedy with which the file is refused; empty where it is read. */
async function hintOf(from: string, shapes: ReadonlyMap<string, InputShape>): Promise<string> {
  try {
    await openSource(from, undefined, shapes);
    return '';
  } catch (error) {
    return error instanceof UserError ? (error.hint ?? '') : '';
  }
}

/** What a refusal has to say and does not: which node and operator of the file, or which input, and what to do. */
export function unclear(folder: string, name: string, { message, hint }: Refusal): string | undefined {
  if (hint === undefined) return `${name}: no refusal but a fault: ${message}`;
  if (hint === '') return `${name}: no remedy: ${message}`;
  const { graph } = decodeModel(readFileSync(path.join(folder, `${name}.onnx`)), name);
  const isConstant = /its constant \S+ is NaN/.test(message);
  const isNamed =
    isConstant || graph.inputs.some((input) => message.includes(`input ${input.name}: `)) || namesNode(graph, message);
  return isNamed ? undefined : `${name}: neither a node with its operator nor an input: ${message}`;
}

function namesNode({ nodes }: OnnxGraph, message: string): boolean {
  return nodes.some(({ name, op, outputs }) => {
    const node = name || outputs[0]!;
    return (
      message.includes(`node ${node} (${op})`) ||
      message.includes(`node ${node} is a ${op}`) ||
      message.includes(`node ${node}: the operator ${op} `)
    );
  });
}
