import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import type { Logger } from 'winston';
import { asUserError } from './files.ts';

type Level = 'error' | 'warn' | 'info' | 'debug';

/** `normal` shows events, `verbose` also details, `quiet` only warnings and errors. */
export type Verbosity = 'quiet' | 'normal' | 'verbose';

export interface Log {
  /** `fields`: for the machine log. */
  write(level: Level, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Resolves when everything has been passed to the system. */
  close(): Promise<void>;
}

const LEVELS: Readonly<Record<Verbosity, Level>> = { quiet: 'warn', normal: 'info', verbose: 'debug' };

/** Log for people: one message after another, with warnings marked. `print` gets the text with its line end. */
export function consoleLog(verbosity: Verbosity, print: (text: string) => void): Log {
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      print(text);
      done();
    },
  });
  const people = format.printf(({ level, message }) =>
    level === 'warn' ? `warning: ${String(message)}` : String(message),
  );
  const logger = createLogger({
    level: LEVELS[verbosity],
    format: people,
    transports: [streamTransport(stream)],
  });
  return logOf(logger, stream);
}

/**
 * Log for machines: a JSON object per line, appended to `file`, with time, level, message and fields. `onFailed` is called once if writing fails,
 * such as on a full disk.
 */
export async function fileLog(file: string, onFailed: (error: Error) => void = () => undefined): Promise<Log> {
  const stream = createWriteStream(file, { flags: 'a' });
  await once(stream, 'open').catch((error: unknown) => {
    throw asUserError(error, file, 'write');
  });
  const machines = format.combine(format.timestamp(), format.json({ deterministic: false }));
  const logger = createLogger({ level: 'debug', format: machines, transports: [streamTransport(stream)] });
  stream.once('error', onFailed);
  return logOf(logger, stream);
}

/** winston types its stream transport as an interface, but loggers take the class. */
function streamTransport(stream: Writable): Logger['transports'][number] {
  return new transports.Stream({ stream });
}

function logOf(logger: Logger, stream: Writable): Log {
  // A full disk must not stop the run, which can do without its log.
  stream.on('error', () => undefined);
  logger.on('error', () => undefined);
  return {
    write: (level, message, fields = {}) => void logger.log({ ...fields, level, message }),
    close: async () => {
      logger.end();
      await once(logger, 'finish');
      // A stream that failed is not closed.
      if (!stream.destroyed) await new Promise<void>((resolve) => stream.end(() => resolve()));
    },
  };
}
