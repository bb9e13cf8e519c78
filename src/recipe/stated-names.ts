import { answerForms } from './answer-forms.ts';
import { taskRow } from './task.ts';

/** How a model's answer is said: the form, and the names of the classes, numbers, labels or tags in the order of the model's outputs, where they are known. */
interface AnswerForm {
  readonly kind: string;
  readonly names: readonly string[] | undefined;
}

/** Names of answers as the server states them, under a key that tells the form: `labels` and `targets`, or the key of a form of its own. */
export interface StatedNames {
  readonly labels?: readonly string[];
  /** Names of the answers of a model that does not choose one class: labels that a sample may have several of, or numbers. */
  readonly targets?: readonly string[];
  /** True if answers are logits: softmax turns them into probabilities, or, for `targets`, the logistic function of each. */
  readonly logits: boolean;
}

/** Form of answers with these names; that of the default task if no key tells another. */
export function statedForm(stated: StatedNames): AnswerForm {
  const names = stated as unknown as Readonly<Record<string, readonly string[] | true | undefined>>;
  const row = answerForms
    .all()
    .find(({ told }) => told && names[told.key] !== undefined && (told.logits ?? stated.logits) === stated.logits);
  const { name, told } = row ?? answerForms.get(taskRow().form);
  const own = names[told?.key ?? 'labels'];
  return { kind: name, names: own === true ? undefined : own };
}

/** Names of the answers of a file, under the key that tells the form of its task: `targets` where the file states no task with a key of its own. */
export function namesByForm(
  metadata: ReadonlyMap<string, string>,
  names: readonly string[] | undefined,
): Pick<StatedNames, 'targets'> {
  const task = metadata.get('task') ?? '';
  const told = answerForms.all().find(({ tasks }) => Object.hasOwn(tasks, task))?.told;
  if (told !== undefined && told.key !== 'targets')
    return { [told.key]: told.isNameless === true ? true : (names ?? []) };
  return names === undefined ? {} : { targets: names };
}
