import path from 'node:path';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { unreadOutputs } from '../../ship/kit/platforms.ts';
import type { KitSample } from '../../ship/kit/platforms.ts';
import { sharedModules } from '../../ship/kit/portable.ts';
import { sampleFile } from '../../ship/kit/samples.ts';

/** A module that an app copies. */
export interface ReactNativeModule {
  /** Name of its source in `samples/`. */
  readonly file: string;
}

const REACT_NATIVE = new Slot<ReactNativeModule>(answerForms, 'reactNative', 'sample for React Native');

const FOLDER = path.join(import.meta.dirname, 'samples');

/** A module in TypeScript, on fast-tflite. */
export const kitSample: KitSample = {
  sources: REACT_NATIVE,
  filesOf: async (of) => {
    if (of.data.text !== undefined) return 'it feeds numbers, and the tokenizer is not tested in Hermes';
    const unread = unreadOutputs(of);
    if (unread !== undefined) return unread;
    const { file } = await REACT_NATIVE.load(of.form);
    const own = [file, 'normalized.d.ts'].map((name) => [name, sampleFile(path.join(FOLDER, name))] as const);
    return { ...Object.fromEntries(own), ...(await sharedModules(['normalized'])) };
  },
};
