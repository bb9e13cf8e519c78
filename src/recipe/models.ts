import { nearest, shown } from '../base/errors.ts';
import type { Complaint } from './issues.ts';
import type { Recipe } from './schema.ts';
import { PEER_KEYS } from './schema/loss.ts';
import { studentSchema } from './schema/student.ts';
import { assistantSchema, teacherTrainingSchema } from './schema/teacher.ts';
import type { KeyPath } from './source.ts';

/** Known models: their options, and a check of option values. */
export type ModelTable = Readonly<
  Record<
    string,
    { readonly options: Readonly<Record<string, { readonly wrong: (value: unknown) => string | undefined }>> }
  >
>;

const STUDENT_KEYS = Object.keys(studentSchema.shape);
const TRAINING_KEYS = Object.keys(teacherTrainingSchema.shape);
const ASSISTANT_KEYS = Object.keys(assistantSchema.shape);
const OWN_KEYS = { student: STUDENT_KEYS, teacher: TRAINING_KEYS, assistant: ASSISTANT_KEYS, peer: PEER_KEYS };

/** Options of the model in a section of the recipe: all keys but the section's own. */
export function modelOptions(
  part: Readonly<Record<string, unknown>>,
  own: keyof typeof OWN_KEYS,
): Record<string, unknown> {
  const keys = OWN_KEYS[own];
  return Object.fromEntries(Object.entries(part).filter(([key]) => !keys.includes(key)));
}

/** Problems with models: unknown names, unknown options, wrong values. */
export function modelComplaints(recipe: Recipe, models: ModelTable): Complaint[] {
  const { student, teacher, distill } = recipe;
  const peer = 'peer' in distill ? distill.peer : undefined;
  return [
    ...(student === undefined ? [] : check(student, 'student', ['student'], models)),
    ...(teacher?.train === undefined ? [] : check(teacher.train, 'teacher', ['teacher', 'train'], models)),
    ...(teacher?.chain ?? []).flatMap((assistant, i) => check(assistant, 'assistant', ['teacher', 'chain', i], models)),
    ...(peer === undefined ? [] : check(peer, 'peer', ['distill', 'peer'], models)),
  ];
}

function check(
  part: Readonly<Record<string, unknown>> & { readonly model?: string | undefined },
  own: keyof typeof OWN_KEYS,
  path: KeyPath,
  models: ModelTable,
): Complaint[] {
  const { model } = part;
  const known = model !== undefined && Object.hasOwn(models, model) ? models[model] : undefined;
  if (model !== undefined && known === undefined) {
    const names = Object.keys(models);
    const fact = `expected one of ${names.join(', ')}, received ${shown(model)}`;
    const near = nearest(model, names);
    const at = [...path, 'model'];
    return [
      {
        path: at,
        fact,
        ...(near === undefined
          ? { hint: 'Name one of these models.' }
          : { ...asked(near), changes: [{ path: at, value: near }] }),
      },
    ];
  }
  const options = known?.options ?? {};
  return Object.entries(modelOptions(part, own)).flatMap(([key, value]): Complaint[] => {
    const option = Object.hasOwn(options, key) ? options[key] : undefined;
    if (option === undefined) {
      const keys = [...Object.keys(options), ...OWN_KEYS[own]];
      const near = nearest(key, keys);
      return [
        {
          path,
          key,
          fact: 'unknown key',
          ...(near === undefined
            ? { hint: `Known keys: ${keys.join(', ')}.` }
            : { ...asked(near), changes: [{ path: [...path, key], rename: near }] }),
        },
      ];
    }
    const wrong = option.wrong(value);
    if (wrong === undefined) return [];
    return [
      {
        path: [...path, key],
        fact: `${wrong}, received ${shown(value)}`,
        hint: `Change the option ${key} of ${String(model)}.`,
      },
    ];
  });
}

function asked(near: string): Pick<Complaint, 'hint'> {
  return { hint: `Did you mean ${near}?` };
}
