import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { exists, readText } from '../base/files.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { contentBytes } from '../formats/onnx/protobuf.ts';
import { usualSchema } from '../measure/usual-answers.ts';
import type { UsualAnswers } from '../measure/usual-answers.ts';
import { writtenReport } from './report/finished.ts';
import { z } from 'zod';

/** Path of the file beside a model file with the distribution of its answers. For models in a run, the report has it. */
export function usualPath(file: string): string {
  return file.replace(/\.onnx$/i, '') + '.usual.json';
}

export function usualText(content: OnnxContent, usual: UsualAnswers): string {
  return `${JSON.stringify({ sha256: sha256(contentBytes(content)), ...usual })}\n`;
}

/**
 * Usual answers of a model, from the file beside it, or from the report of the run that exported it. `UserError` if the file beside it belongs to
 * another model.
 */
export async function usualOf(file: string, bytes: Uint8Array): Promise<UsualAnswers | undefined> {
  const beside = usualPath(file);
  if (await exists(beside)) {
    const { sha256: hash, ...usual } = parsed(await readText(beside), beside);
    if (hash === sha256(bytes)) return usual;
    throw new UserError(
      `${beside}: it belongs to another model than ${path.basename(file)}`,
      `Make it anew: limbeck evaluate ${file} --recipe RECIPE --usual.`,
    );
  }
  const run = path.resolve(file, '..', '..');
  const report = await writtenReport(run);
  const name = path.relative(run, path.resolve(file)).split(path.sep).join('/');
  const row = report?.models.find((model) => model.file === name);
  return row?.sizeBytes === bytes.length ? row.usual : undefined;
}

function parsed(text: string, file: string) {
  try {
    return usualSchema.extend({ sha256: z.string() }).parse(JSON.parse(text));
  } catch {
    throw new UserError(
      `${file}: it holds no distribution of a model's answers`,
      'Remove it, or make it anew: limbeck evaluate MODEL.onnx --recipe RECIPE --usual.',
    );
  }
}
