import { orClose } from '../../base/closing.ts';
import { nearest, UserError } from '../../base/errors.ts';
import type { Dataset } from '../../data/dataset.ts';
import { parameterCount } from '../../formats/onnx/model.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import type { Model } from '../../formats/onnx/model.ts';
import { contentBytes, decodeModel, onnxContent } from '../../formats/onnx/protobuf.ts';
import { withTwoLogits } from '../../formats/onnx/rewrite/two-logits.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import { taskOf } from '../../tasks/registry.ts';
import { teacherOfFile } from './teacher-of-file.ts';
import type { FileTeacherSettings, FileTeacherSource, Runnable } from './file-teacher.ts';
import type { OpenedWith } from './int8-teacher.ts';
import type { Teacher } from './teacher.ts';
import { refuseOtherVocabulary } from './inputs/vocabulary.ts';

export type OnnxTeacherSettings = FileTeacherSettings;

export interface OnnxTeacherSource extends Pick<FileTeacherSource, 'name' | 'dataset' | 'probe'> {
  readonly bytes: OnnxContent;
  /** Size of the file on disk, if `bytes` are of a changed one. */
  readonly sizeBytes?: number;
  readonly session: SessionOptions;
  readonly onFed?: OpenedWith['onFed'];
}

/** An ONNX file as a teacher. `UserError` if settings or file do not fit the data set. */
export async function onnxTeacher(source: OnnxTeacherSource, settings: OnnxTeacherSettings): Promise<Teacher> {
  const { name, bytes, sizeBytes = bytes.length, dataset, session, probe, onFed } = source;
  const stored = decodeModel(bytes, name);
  const model = ofTwoClasses(stored, dataset, settings.output) ?? stored;
  // A vector may be an inner tensor of a classifier.
  const inner = dataset.vector !== undefined && settings.output !== undefined ? [settings.output] : [];
  const named = [...settings.intermediate, ...inner];
  const withIntermediate = withOutputs(model, named, settings, model === stored ? bytes : onnxContent(model));
  const file = new InferenceModel(withIntermediate, name, session);
  const runtime = onFed === undefined ? file : watched(file, onFed);
  await orClose(
    () => refuseOtherVocabulary(model, runtime.inputs, name, dataset),
    () => file.dispose(),
  );
  const about = { params: parameterCount(model.graph), sizeBytes, content: contentBytes(bytes) };
  return teacherOfFile({ name, runtime, ...about, dataset, probe }, settings);
}

/** Converts a file with one logit or sigmoid for two classes to two logits; undefined for other files, which are used unchanged. */
export function ofTwoClasses(model: Model, dataset: Dataset, output: string | undefined): Model | undefined {
  const { classes, width } = taskOf(dataset);
  return classes !== undefined && width === 2 ? withTwoLogits(model, output) : undefined;
}

/** The file with a listener to its inputs. Where no answer is wanted, an earlier one to inputs of the same shapes stands in. */
function watched(file: Runnable, onFed: NonNullable<OpenedWith['onFed']>): Runnable {
  const earlier = new Map<string, Awaited<ReturnType<Runnable['run']>>>();
  return {
    inputs: file.inputs,
    outputs: file.outputs,
    device: file.device,
    dispose: () => file.dispose(),
    run: async (feeds, wanted) => {
      const form = Object.values(feeds)
        .map(({ shape }) => shape.join())
        .join(' ');
      const known = onFed(feeds) ? earlier.get(form) : undefined;
      const results = known ?? (await file.run(feeds, wanted));
      earlier.set(form, results);
      return results;
    },
  };
}

/** The file with inner tensors added to its outputs. */
function withOutputs(
  model: Model,
  names: readonly string[],
  { intermediate }: Pick<FileTeacherSettings, 'intermediate'>,
  bytes: OnnxContent,
): OnnxContent {
  const missing = names.filter((name) => !model.graph.outputs.some((output) => output.name === name));
  if (missing.length === 0) return bytes;
  const known = model.graph.nodes.flatMap(({ outputs }) => outputs);
  for (const name of missing) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new UserError(
      `teacher.${intermediate.includes(name) ? 'intermediate' : 'output'}: the file has no tensor ${name}`,
      meant !== undefined ? `Did you mean ${meant}?` : 'Run `limbeck inspect` on the file to see its tensors.',
    );
  }
  const outputs = [...model.graph.outputs, ...missing.map((name) => ({ name, dtype: 'float32' as const }))];
  return onnxContent({ ...model, graph: { ...model.graph, outputs } });
}
