import { atFile, clipped, inShell, nearest, shown, UserError } from '../../src/base/errors.ts';

it('nearest finds what was probably meant', () => {
  expect(nearest('temprature', ['alpha', 'temperature', 'epochs'])).toBe('temperature');
  expect(nearest('LearningRate', ['learningRate'])).toBe('learningRate');
  // Two letters that are swapped are one mistake.
  expect(nearest('fomr', ['foo', 'form'])).toBe('form');
});

it('nearest stays silent when nothing is near', () => {
  expect(nearest('xyz', ['alpha', 'temperature'])).toBeUndefined();
  expect(nearest('set', ['out', 'json'])).toBeUndefined();
});

it('shown is short and on one line', () => {
  expect(shown('a\nb')).toBe('"a\\nb"');
  expect(shown(undefined)).toBe('nothing');
  expect(shown(-1)).toBe('-1');
  expect(shown('x'.repeat(500))).toHaveLength(80);
});

it('shown takes what JSON cannot', () => {
  const list: unknown[] = [];
  list.push(list);
  expect([shown(list), shown(5n), shown(() => 1)]).toEqual(['a value that holds itself', '5', 'function']);
});

it('inShell puts a name in quotes where a shell would take it apart', () => {
  expect(['checkpoints/a-1.b', 'my runs/a', 'a$b'].map(inShell)).toEqual([
    'checkpoints/a-1.b',
    '"my runs/a"',
    '"a\\$b"',
  ]);
});

it('a UserError carries its remedy', () => {
  const error = new UserError('fact', 'remedy');
  expect([error.message, error.hint, error.name]).toEqual(['fact', 'remedy', 'UserError']);
});

it('a UserError shows what a terminal would obey or hide', () => {
  const { message, hint } = new UserError('x\0y: \u001b[2J\u009b1m\n  next', 'Did you mean "a\r" or "\u202egnp.exe"?');
  expect([message, hint]).toEqual(['x\\x00y: \\x1b[2J\\x9b1m\n  next', 'Did you mean "a\\x0d" or "\\u202egnp.exe"?']);
});

it('atFile says which file a refusal is about, and leaves all else as it is', () => {
  const refuse = (): never => {
    throw new UserError('damaged', 'Get it again.');
  };
  expect(atFile('a.tflite', () => 3)).toBe(3);
  expect(() => atFile('a.tflite', refuse)).toThrow(/^a\.tflite: damaged$/);
  expect(() => atFile(undefined, refuse)).toThrow(/^damaged$/);
  const bug = new TypeError('bug');
  expect(() =>
    atFile('a.tflite', () => {
      throw bug;
    }),
  ).toThrow(bug);
});

it('clipped keeps a name short', () => {
  expect(clipped('ids')).toBe('ids');
  expect(clipped('x'.repeat(500))).toHaveLength(80);
});
