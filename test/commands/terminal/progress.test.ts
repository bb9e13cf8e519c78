import type { CommandContext } from '../../../src/commands/context.ts';
import { textTable } from '../../../src/commands/terminal/table.ts';
import { contextOf } from '../../../src/commands/program.ts';
import { helpText } from '../../../src/commands/terminal/help.ts';
import { barText, showEvents, timeLeft } from '../../../src/commands/terminal/progress.ts';
import type { EpochEvent, ProgressEvent } from '../../../src/base/events.ts';

const progress: ProgressEvent = {
  type: 'progress',
  stage: 'distill',
  done: 50,
  total: 200,
  epoch: 1.25,
  epochs: 5,
  loss: 0.43216,
  score: 0.841,
  samplesPerSecond: 10400.4,
  secondsLeft: 75,
};

const epoch = (number: number, seconds: number): EpochEvent => ({
  type: 'epoch',
  step: 10 * number,
  stage: 'distill',
  epoch: number,
  epochs: 5,
  loss: 0.5,
  score: 0.8,
  validation: 0.75,
  seconds,
});

async function shown(
  change: Partial<CommandContext>,
  run: (on: Awaited<ReturnType<typeof showEvents>>['onEvent']) => void,
): Promise<string> {
  let text = '';
  const context: CommandContext = {
    json: false,
    verbosity: 'normal',
    isTerminal: false,
    columns: 200,
    signal: new AbortController().signal,
    out: () => undefined,
    note: (more) => (text += more),
    ...change,
  };
  const display = await showEvents(context);
  run(display.onEvent);
  await display.close();
  return text;
}

describe('the progress bar', () => {
  it('says share, time left, loss, accuracy, epoch and speed', () => {
    expect(barText(progress, 200)).toBe(
      '[######------------------]   25 %  1 min 15 s left  loss 0.4322  84.10 %  epoch 1.3/5  10,400 samples/s',
    );
  });

  it('has share, time left and loss on any terminal, and nothing that is cut in the middle', () => {
    const long = { ...progress, secondsLeft: 5 * 3600 + 59 * 60, epoch: 123.45, epochs: 300 };
    expect(barText(long, 80)).toBe('[###-------]   25 %  5 h 59 min left  loss 0.4322  84.10 %  epoch 123.5/300');
    expect(barText(long, 40)).toBe(' 25 %  5 h 59 min left  loss 0.4322');
    for (let columns = 20; columns < 200; columns++) {
      const text = barText(long, columns);
      expect(text.length).toBeLessThan(columns);
      expect(text).toMatch(/ (%|left|loss \d\.\d{4}|epoch 123\.5\/300|samples\/s)$/);
    }
  });

  it('says what is counted where there are no epochs', () => {
    const event: ProgressEvent = {
      ...{ type: 'progress', stage: 'quantize-1', what: 'calibrating', done: 7, total: 14, secondsLeft: 3 },
    };
    expect(barText(event, 80)).toBe('[#####-----]   50 %  3 s left  calibrating 7/14');
  });

  it('is drawn on a terminal below the lines, and wiped at the end', async () => {
    const text = await shown({ isTerminal: true }, (on) => {
      on(progress);
      on(epoch(1, 3));
    });
    expect(text.split('\r\u001b[2K')).toEqual([
      '',
      expect.stringMatching(/^\[####/),
      expect.stringMatching(
        /^ {2}epoch 1\/5 {2}loss 0\.5000 {2}train 80\.00 % {2}validation 75\.00 % {2}3\.0 s\n\[####/,
      ),
      '',
    ]);
  });

  it.each<[string, Partial<CommandContext>]>([
    ['elsewhere', {}],
    ['with --json', { isTerminal: true, json: true }],
    ['with --quiet', { isTerminal: true, verbosity: 'quiet' }],
  ])('is not drawn %s', async (_name, change) => {
    expect(await shown(change, (on) => on(progress))).toBe('');
  });
});

describe('lines', () => {
  it('say an epoch a second at most, the first, and the last', async () => {
    const text = await shown({}, (on) => [0.1, 0.2, 1.15, 1.2, 1.3].forEach((seconds, i) => on(epoch(i + 1, seconds))));
    expect([...text.matchAll(/epoch (\d)/g)].map((match) => match[1])).toEqual(['1', '3', '5']);
  });

  it('mark warnings, even when quiet', async () => {
    expect(await shown({ verbosity: 'quiet' }, (on) => on({ type: 'warning', message: 'odd' }))).toBe('warning: odd\n');
  });

  it('say what was saved only when verbose', async () => {
    const event = { type: 'saved', stage: 'distill', file: 'distill-000001.safetensors' } as const;
    expect(await shown({}, (on) => on(event))).toBe('');
    expect(await shown({ verbosity: 'verbose' }, (on) => on(event))).toContain('distill-000001');
  });
});

it('says time in units that fit', () => {
  expect([0.4, 59.6, 61, 3600, 7325].map(timeLeft)).toEqual([
    '0 s',
    '1 min 0 s',
    '1 min 1 s',
    '1 h 0 min',
    '2 h 2 min',
  ]);
});

it('aligns tables, numbers to the right', () => {
  expect(
    textTable([
      ['name', 'train', 'note'],
      ['a', '60000', 'x y'],
      ['bcd', '12', ''],
    ]),
  ).toBe('name  train  note\na     60000  x y\nbcd      12\n');
});

it('wraps help to the terminal', () => {
  const text = helpText([{ name: 'run <recipe>', summary: 'Follow a recipe to its report, whatever happens' }], 60);
  expect(text).toContain('  limbeck run <recipe>  Follow a recipe to its report,\n');
  expect(
    Math.max(
      ...text
        .split('\n')
        .filter((line) => line.startsWith('  '))
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(60);
});

describe('the context of a command', () => {
  it('follows a terminal that changes its size', () => {
    const signal = new AbortController().signal;
    const nothing = (): void => undefined;
    const host = { out: nothing, note: nothing, err: nothing, isTerminal: true, columns: 120, signal };
    const context = contextOf({ json: false, quiet: undefined, verbose: undefined }, host);
    host.columns = 40;
    expect(context.columns).toBe(40);
    // As one that does not know it says.
    host.columns = 0;
    expect(context.columns).toBe(80);
  });
});
