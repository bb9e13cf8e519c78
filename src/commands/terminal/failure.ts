import { existsSync } from 'node:fs';
import { InterruptedError, printable, UserError } from '../../base/errors.ts';
import type { Problem } from '../../base/errors.ts';

/** Exit codes of the program; 0 is success. Codes for signals are 128 plus the number of SIGINT, SIGPIPE or SIGTERM. */
export const EXIT = { user: 1, bug: 70, interrupted: 130, pipe: 141, terminated: 143 };

/** Object that `--json` prints when a command fails: all keys in every case, null if they do not apply. */
export interface JsonFailure extends Omit<Problem, 'hint'> {
  readonly code: UserError['kind'] | 'interrupted' | 'bug';
  readonly hint: string | null;
  /** All problems, if there are several; the position above is the first one's. */
  readonly problems: readonly Problem[];
}

export interface Failure {
  readonly exitCode: number;
  /** Text for people: two lines for a mistake of the user, a stack for a bug of ours. */
  readonly text: string;
  readonly json: JsonFailure;
}

const REPORT = 'This is a bug in Limbeck. Please report it with the lines above and the recipe.';
const NOWHERE = { file: null, line: null, column: null, key: null };

export function failureOf(error: unknown): Failure {
  if (error instanceof UserError) {
    const { message, hint, problems } = error;
    const code = error.kind === 'input' && message.startsWith('--') ? 'usage' : error.kind;
    const { file, line, column, key } = problems[0] ?? { ...placeIn(message), key: null };
    return {
      exitCode: EXIT.user,
      text: `${message}\n${hint}\n`,
      json: { code, file, line, column, key, message, hint, problems },
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof InterruptedError) {
    const json = { code: 'interrupted', ...NOWHERE, message, hint: null, problems: [] } as const;
    return { exitCode: EXIT.interrupted, text: `${printable(message)}\n`, json };
  }
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  const json = { code: 'bug', ...NOWHERE, message: stack, hint: REPORT, problems: [] } as const;
  return { exitCode: EXIT.bug, text: `${printable(stack)}\n${REPORT}\n`, json };
}

/** Position at the start of a message: `rows.csv:7: …`, `teacher.onnx: …`. */
function placeIn(message: string): Pick<Problem, 'file' | 'line' | 'column'> {
  const [, file = null, line, column] = /^([^\n]+?):(\d+)(?::(\d+))?:? /.exec(message) ?? [];
  if (file !== null && existsSync(file)) return { file, line: Number(line), column: column ? Number(column) : null };
  const [, whole = null] = /^([^\n]+?): /.exec(message) ?? [];
  // A missing file is recognized by its extension, like a model given by its name only.
  const isFile =
    whole !== null &&
    (existsSync(whole) || /: cannot (read|write) it: /.test(message) || /\.(onnx|keras|h5|tflite)$/.test(whole));
  return { file: isFile ? whole : null, line: null, column: null };
}
