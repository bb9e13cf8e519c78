import * as tf from '@tensorflow/tfjs-core';
import type { TensorData, TensorType } from '../../src/graph/types.ts';
import type { CompiledStep, CompileOptions, Engine, State } from '../../src/runtime/engine.ts';
import type { StepProgram } from '../../src/trace/program.ts';

/** Runs programs call by call on tfjs' current backend: what the compiled engines are compared with. */
export const eagerEngine: Engine = {
  name: 'tensorflow',
  device: 'cpu',
  compile: (program, options) => Promise.resolve(new EagerStep(program, options)),
};

class EagerStep implements CompiledStep {
  readonly inputs: ReadonlyMap<string, TensorType>;
  #outputs: ReadonlyMap<string, TensorType> | undefined;
  readonly program: StepProgram;
  readonly #shared: EagerStep | undefined;

  constructor(program: StepProgram, options: CompileOptions = {}) {
    this.program = program;
    this.inputs = new Map(Object.entries(program.feeds));
    this.#shared = options.shareStateWith as EagerStep | undefined;
  }

  /** Found by a run on zeros, whose changes of variables are undone. */
  get outputs(): ReadonlyMap<string, TensorType> {
    if (this.#outputs !== undefined) return this.#outputs;
    const types = new Map<string, TensorType>();
    tf.tidy(() => {
      const before = Object.values(this.program.state).map((variable) => [variable, variable.clone()] as const);
      const zeros = Object.entries(this.program.feeds).map(
        ([name, { dtype, shape }]) => [name, tf.zeros(shape as number[], dtype as 'float32')] as const,
      );
      for (const [name, { dtype, shape }] of Object.entries(this.program.run(Object.fromEntries(zeros))))
        types.set(name, { dtype, shape } as TensorType);
      for (const [variable, value] of before) variable.assign(value);
    });
    return (this.#outputs = types);
  }

  run(feeds: Readonly<Record<string, TensorData>>): Promise<Readonly<Record<string, TensorData>>> {
    for (const name of Object.keys(feeds)) if (!this.inputs.has(name)) throw new Error(`${name} is no feed`);
    this.#borrow();
    return Promise.resolve(
      tf.tidy(() => {
        const tensors = Object.fromEntries(
          Object.entries(this.program.feeds).map(([name, { dtype, shape }]) => {
            const data = feeds[name];
            if (data === undefined) throw new Error(`feed ${name} is missing`);
            return [name, tf.tensor(data as Float32Array, shape as number[], dtype as 'float32')];
          }),
        );
        const results = this.program.run(tensors);
        return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.dataSync()]));
      }),
    ).then((results) => {
      this.#giveBack();
      return results;
    });
  }

  state(): Promise<State> {
    const entries = Object.entries(this.program.state).map(
      ([name, variable]) =>
        [name, { type: { dtype: 'float32', shape: variable.shape }, data: variable.dataSync().slice() }] as const,
    );
    return Promise.resolve(new Map(entries) as State);
  }

  load(state: State): Promise<void> {
    for (const [name, { type, data }] of state) {
      const variable = this.program.state[name];
      if (variable === undefined) throw new Error(`no variable ${name}`);
      tf.tidy(() => variable.assign(tf.tensor(data as Float32Array, type.shape as number[])));
    }
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }

  /** Another program's variables may be other objects under the same names: copy their content in and out. */
  #borrow(): void {
    this.#copy(this.#shared?.root().program.state, this.program.state);
  }

  #giveBack(): void {
    this.#copy(this.program.state, this.#shared?.root().program.state);
  }

  root(): EagerStep {
    return this.#shared?.root() ?? this;
  }

  #copy(from: StepProgram['state'] | undefined, to: StepProgram['state'] | undefined): void {
    if (from === undefined || to === undefined) return;
    for (const [name, variable] of Object.entries(to)) {
      const source = from[name];
      if (source !== undefined && source !== variable) variable.assign(source.clone());
    }
  }
}
