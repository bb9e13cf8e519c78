import { InterruptedError, UserError } from '../../base/errors.ts';
import type { CommandContext } from '../context.ts';

interface Question {
  /** Option of the command line that gives the answer. */
  readonly option?: string;
  /** Default for an empty answer; without it the question is repeated until it is answered. */
  readonly fallback?: string;
  /** Reason why an answer is refused, after which the question is repeated; undefined to accept it. */
  readonly wrong?: (answer: string) => string | undefined | Promise<string | undefined>;
}

export interface TerminalQuestion {
  (question: string, about: Question): Promise<string>;
  readonly close: () => void;
}

export async function asker(context: CommandContext): Promise<TerminalQuestion> {
  const { createInterface } = await import('node:readline/promises');
  // With --json, stdout is for the result only.
  const output = context.json ? process.stderr : process.stdout;
  const isAnswered = context.isTerminal && process.stdin.isTTY;
  const prompt = isAnswered ? createInterface({ input: process.stdin, output }) : undefined;
  // Lines typed before a question are kept for it.
  prompt?.pause();
  const ask = async (question: string, about: Question): Promise<string> => {
    const { option, fallback, wrong } = about;
    if (prompt === undefined) {
      if (fallback !== undefined) return fallback;
      throw new UserError(
        `init: ${option ?? question} is missing`,
        'Give it on the command line; without a terminal nothing can be asked.',
      );
    }
    const shownFallback = fallback === undefined || fallback === '' ? '' : ` [${fallback}]`;
    const text = await prompt.question(`${question}${shownFallback}: `, { signal: context.signal }).catch(stopped);
    prompt.pause();
    const answer = text.trim();
    if (answer === '') return fallback ?? ask(question, about);
    const complaint = await wrong?.(answer);
    if (complaint === undefined) return answer;
    output.write(`${complaint}\n`);
    return ask(question, about);
  };
  return Object.assign(ask, { close: () => prompt?.close() });
}

/** Ctrl-C and Ctrl-D close the prompt. */
function stopped(error: unknown): never {
  if ((error as Partial<Error>).name !== 'AbortError') throw error;
  throw new InterruptedError('\ninit was stopped; nothing was written');
}
