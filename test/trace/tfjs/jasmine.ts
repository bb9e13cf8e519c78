/** What tfjs-core's tests use of jasmine and jest has not, or names otherwise. */

type Fn = (...args: unknown[]) => unknown;

interface Spy {
  readonly and: {
    returnValue(value: unknown): Spy;
    returnValues(...values: unknown[]): Spy;
    callFake(fake: Fn): Spy;
    callThrough(): Spy;
    throwError(message: string): Spy;
  };
  readonly calls: {
    count(): number;
    reset(): void;
    argsFor(i: number): unknown[];
    first(): { args: unknown[] };
    allArgs(): unknown[][];
  };
}

function withJasmineNames(mock: jest.Mock, original?: Fn): Spy {
  const chain = (set: () => unknown): Spy => {
    set();
    return mock as unknown as Spy;
  };
  return Object.assign(mock, {
    and: {
      returnValue: (value: unknown) => chain(() => mock.mockReturnValue(value)),
      returnValues: (...values: unknown[]) => chain(() => values.forEach((value) => mock.mockReturnValueOnce(value))),
      callFake: (fake: Fn) => chain(() => mock.mockImplementation(fake)),
      callThrough: () => chain(() => original !== undefined && mock.mockImplementation(original)),
      throwError: (message: string) =>
        chain(() =>
          mock.mockImplementation(() => {
            throw new Error(message);
          }),
        ),
    },
    calls: {
      count: () => mock.mock.calls.length,
      reset: () => mock.mockClear(),
      argsFor: (i: number) => mock.mock.calls[i] as unknown[],
      first: () => ({ args: mock.mock.calls[0] as unknown[] }),
      allArgs: () => mock.mock.calls as unknown[][],
    },
  });
}

const restores: (() => void)[] = [];

function spyOn(target: Record<string, Fn>, name: string): Spy {
  const original = target[name]!;
  const mock = jest.fn();
  target[name] = mock;
  restores.push(() => {
    target[name] = original;
  });
  return withJasmineNames(mock, function (this: unknown, ...args) {
    return original.apply(this, args);
  });
}

/** Installs jasmine's globals; spies last for one test. */
export function installJasmine(): void {
  Object.assign(globalThis, {
    spyOn,
    fail: (message?: unknown) => {
      throw message instanceof Error ? message : new Error(JSON.stringify(message ?? 'failed'));
    },
    jasmine: {
      createSpy: () => withJasmineNames(jest.fn()),
      any: (type: unknown) => expect.any(type) as unknown,
      getEnv: () => ({}),
      arrayWithExactContents: (list: unknown[]) => ({
        asymmetricMatch: (other: unknown[]) => JSON.stringify([...other].sort()) === JSON.stringify([...list].sort()),
      }),
    },
  });
  expect.extend({
    nothing: () => ({ pass: true, message: () => '' }),
    toBeTrue: (received: unknown) => ({ pass: received === true, message: () => `${String(received)} is not true` }),
    toBeFalse: (received: unknown) => ({ pass: received === false, message: () => `${String(received)} is not false` }),
    toThrowError: (received: Fn, ...expected: unknown[]) => {
      const thrown = errorOf(received);
      const fits = thrown !== undefined && expected.every((want) => matches(thrown, want));
      return {
        pass: fits,
        message: () => `threw ${thrown?.message ?? 'nothing'}, expected ${expected.map(String).join()}`,
      };
    },
  });
  afterEach(() => {
    for (const restore of restores.splice(0)) restore();
  });
}

function errorOf(body: Fn): Error | undefined {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}

function matches(error: Error, want: unknown): boolean {
  if (typeof want === 'string') return error.message === want;
  return want instanceof RegExp ? want.test(error.message) : error instanceof (want as new () => Error);
}
