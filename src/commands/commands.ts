import { Registry } from '../base/registry.ts';
import { forConsumers } from './consumers.ts';
import type { Command } from './options/command.ts';

/** Row of a command: its text in `limbeck --help`, and its module, which is loaded when the command line names the command. */
export interface CommandRow {
  /** Word and positional arguments, as yargs reads them. */
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command<object>>;
}

/** A row from a command of any options. */
export function row<Args extends object>(
  name: string,
  summary: string,
  load: () => Promise<Command<Args>>,
): CommandRow {
  return { name, summary, load: load as unknown as CommandRow['load'] };
}

/** Commands that `src/features.ts` names. */
export const moreCommands = new Registry<CommandRow>('command');

/** All commands, in the order of `limbeck --help`. */
export const allCommands = (): readonly CommandRow[] => [
  row(
    'run <recipe>',
    'Follow a recipe to its report; a run that was stopped goes on where it was',
    async () => (await import('./run.ts')).runCommand,
  ),
  row(
    'resume [run]',
    'Go on with a stopped run, by name or folder; without one, with the latest unfinished run',
    async () => (await import('./resume.ts')).resumeCommand,
  ),
  row(
    'label <recipe>',
    'Let the teacher of a recipe answer beforehand, in shards on many machines; --merge puts them together',
    async () => (await import('./label.ts')).labelCommand,
  ),
  row(
    'sweep <recipe>',
    'Follow a recipe once for each of many settings, in shards on many machines',
    async () => (await import('./sweep.ts')).sweepCommand,
  ),
  row(
    'compress <model>',
    'Make an ONNX or Keras file smaller and faster without a recipe or labels; the model is its own teacher',
    async () => (await import('./compress.ts')).compressCommand,
  ),
  row(
    'quantize <model>',
    'Quantize an ONNX or Keras file to int8 without training (short for `export --from`)',
    async () => (await import('./quantize.ts')).quantizeCommand,
  ),
  row(
    'embed <encoder>',
    'Make static embeddings from an encoder of sentences, or write the vectors that a model gives to a data set',
    async () => (await import('./embed.ts')).embedCommand,
  ),
  row(
    'validate <recipes..>',
    'Check recipes and that the files they name are there, without running them',
    async () => (await import('./validate.ts')).validateCommand,
  ),
  row(
    'evaluate <model>',
    'Measure the accuracy, or error, of a model file on the data of a recipe',
    async () => (await import('./evaluate.ts')).evaluateCommand,
  ),
  row(
    'export [run]',
    `Write a model in another format or precision (--from), copy one out of a run (--to), or write a folder for apps (--kit)${forConsumers()}`,
    async () => (await import('./export.ts')).exportCommand(),
  ),
  row(
    'report <run>',
    'Make report.html, .md and .csv of a run again from its report.json',
    async () => (await import('./report.ts')).reportCommand,
  ),
  row(
    'compare <runs..>',
    'Show runs side by side: differences of their recipes, and their results',
    async () => (await import('./compare.ts')).compareCommand,
  ),
  row(
    'bench <files..>',
    'Time model files (.onnx, .keras, .h5, .tflite), or the models of a run, side by side',
    async () => (await import('./bench.ts')).benchCommand,
  ),
  ...moreCommands.all(),
  row(
    'datasets [folder]',
    'List the data sets of the project with sizes and classes',
    async () => (await import('./datasets.ts')).datasetsCommand,
  ),
  row(
    'inspect [file]',
    'Describe a file (.onnx, .keras, .h5, .tflite, .safetensors) or the folder of a run; --models lists the models',
    async () => (await import('./inspect.ts')).inspectCommand,
  ),
  row(
    'init [data]',
    'Write a commented recipe for data and a teacher; asks for what is not given on the command line',
    async () => (await import('./init.ts')).initCommand,
  ),
  row(
    'doctor',
    'Show the engine and device that would be used here, versions, features of the CPU, and what is missing',
    async () => (await import('./doctor.ts')).doctorCommand,
  ),
  row(
    'schema',
    'Print the JSON Schema of recipes (or of report.json), for editors and other tools',
    async () => (await import('./schema.ts')).schemaCommand,
  ),
];

/** Word that the command line names a command by. */
export function wordOf({ name }: Pick<CommandRow, 'name'>): string {
  return name.split(' ')[0]!;
}
