import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { lazyBackend } from './backend.ts';
import type { Value } from './value.ts';
import { placeholder } from './value.ts';

export interface SwappedVariables {
  /** Placeholders of the program's state, in its order. */
  readonly state: readonly Value[];
  /** New content of assigned state variables. Throws if other variables were assigned or created. */
  assigned(): ReadonlyMap<string, Value>;
  /** Restores the content of every variable. */
  restore(): void;
}

interface Swapped {
  readonly variable: tf.Variable;
  readonly name: string;
  readonly before: tf.DataId;
  readonly symbol: tf.DataId;
  readonly placeholder: Value;
  readonly inState: boolean;
}

/** Replaces the content of all registered variables by placeholders: for `state` under its names; for others, to detect their use. */
export function swapVariables(state: Readonly<Record<string, tf.Variable>>): SwappedVariables {
  const registered = (): Record<string, tf.Variable> => tf.engine().state.registeredVariables;
  const known = new Set(Object.values(registered()));
  const swapped: Swapped[] = [];
  const values: Value[] = [];
  const swap = (variable: tf.Variable, name: string, inState: boolean): void => {
    const type = { dtype: variable.dtype as 'float32', shape: [...variable.shape] };
    const value = placeholder(inState ? 'state' : 'foreign variable', name, type);
    if (inState) values.push(value);
    const symbol = lazyBackend().hold(value).dataId;
    swapped.push({ variable, name, before: variable.dataId, symbol, placeholder: value, inState });
    replaceData(variable, symbol);
  };
  for (const [name, variable] of Object.entries(state)) swap(variable, name, true);
  const stateVariables = new Set(Object.values(state));
  for (const variable of known)
    if (!stateVariables.has(variable) && variable.dtype !== 'string') swap(variable, variable.name, false);

  return {
    state: values,
    assigned: () => {
      for (const variable of Object.values(registered())) {
        if (!known.has(variable) && !stateVariables.has(variable)) throw missingFromState(variable.name, 'creates');
      }
      // A variable that was assigned its own value has not changed.
      const changed = swapped.filter(
        ({ variable, symbol, placeholder: held }) =>
          variable.dataId !== symbol && lazyBackend().lookup(variable) !== held,
      );
      const foreign = changed.find(({ inState }) => !inState);
      if (foreign !== undefined) throw missingFromState(foreign.name, 'assigns');
      return new Map(changed.map(({ variable, name }) => [name, lazyBackend().lookup(variable)]));
    },
    restore: () => {
      for (const { variable, before } of swapped) {
        const current = variable.dataId;
        variable.dataId = before;
        if (lazyBackend().disposeData(current)) tf.engine().removeDataId(current, lazyBackend());
      }
    },
  };
}

export function missingFromState(name: string, what: 'reads' | 'assigns' | 'creates'): UserError {
  return new UserError(
    `the step ${what} the variable ${name}, which is not in its state`,
    what === 'creates'
      ? 'Create variables (build the model, make optimizer slots) before the trace and list them in `state`.'
      : 'List every variable that the step reads or assigns in `state`, optimizer slots and moving averages included.',
  );
}

function replaceData(variable: tf.Variable, dataId: tf.DataId): void {
  const { state } = tf.engine();
  state.numDataBuffers++;
  state.tensorInfo.set(dataId, { backend: lazyBackend(), dtype: variable.dtype, shape: variable.shape, bytes: 0 });
  variable.dataId = dataId;
}
