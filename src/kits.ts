/**
 * The part of the list of features (`features.ts`) that `limbeck export --kit` loads: platforms of apps, and what forms of answers have for them.
 */
import { boxesAnswers } from './answers/boxes/index.ts';
import { classesAnswers } from './answers/classes/index.ts';
import { labelsAnswers } from './answers/labels/index.ts';
import { maskAnswers } from './answers/mask/index.ts';
import { numbersAnswers } from './answers/numbers/index.ts';
import { pointsAnswers } from './answers/points/index.ts';
import { tagsAnswers } from './answers/tags/index.ts';
import { vectorAnswers } from './answers/vector/index.ts';
import type { AndroidClasses } from './consumers/android/index.ts';
import type { BrowserPages } from './consumers/browser/page.ts';
import type { IosClasses } from './consumers/ios/index.ts';
import type { NodeProgram } from './consumers/node/program.ts';
import type { ReactNativeModule } from './consumers/react-native/index.ts';
import { answerForms } from './recipe/answer-forms.ts';
import type { KitForm } from './ship/kit/forms.ts';
import { platforms } from './ship/kit/platforms.ts';
import type { KitPlatform, KitSample } from './ship/kit/platforms.ts';

/** Module of a cell, which exports the value of the slot under the slot's name. */
type Cell<Name extends string, T> = () => Promise<Readonly<Record<Name, T>>>;

function platform(row: KitPlatform, cells: { readonly kitSample?: Cell<'kitSample', KitSample> }): void {
  platforms.add(row, { ...cells });
}

platform(
  { name: 'android', opens: { tflite: 'Android' } },
  { kitSample: () => import('./consumers/android/index.ts') },
);
platform({ name: 'ios', opens: { tflite: 'iOS' } }, { kitSample: () => import('./consumers/ios/index.ts') });
platform(
  { name: 'react-native', opens: { tflite: 'React Native' } },
  { kitSample: () => import('./consumers/react-native/index.ts') },
);
platform(
  {
    name: 'node',
    opens: { onnx: 'Node' },
    starts: '`npm install --ignore-scripts && npm start`',
  },
  { kitSample: () => import('./consumers/node/index.ts') },
);
platform(
  {
    name: 'browser',
    opens: { tflite: 'LiteRT.js', onnx: 'ONNX Runtime Web' },
    starts: '`npm install && npm start`, then open the pages under the address it prints',
  },
  { kitSample: () => import('./consumers/browser/index.ts') },
);

/** Slots of forms of answers that kits read. */
interface KitCells {
  readonly kit: Cell<'kit', KitForm>;
  readonly android?: Cell<'android', AndroidClasses>;
  readonly ios?: Cell<'ios', IosClasses>;
  readonly reactNative?: Cell<'reactNative', ReactNativeModule>;
  readonly node?: Cell<'node', NodeProgram>;
  readonly browser?: Cell<'browser', BrowserPages>;
}

function kit(row: Parameters<typeof answerForms.fill>[0], cells: KitCells): void {
  answerForms.fill(row, { ...cells });
}

kit(classesAnswers, {
  kit: () => import('./answers/classes/kit.ts'),
  android: () => import('./answers/classes/kit/android.ts'),
  ios: () => import('./answers/classes/kit/ios.ts'),
  reactNative: () => import('./answers/classes/kit/react-native.ts'),
  node: () => import('./answers/classes/kit/node.ts'),
  browser: () => import('./answers/classes/kit/browser.ts'),
});
kit(numbersAnswers, {
  kit: () => import('./answers/numbers/kit.ts'),
  android: () => import('./consumers/android/values.ts'),
  ios: () => import('./consumers/ios/values.ts'),
  node: () => import('./consumers/node/values.ts'),
  browser: () => import('./consumers/browser/values.ts'),
});
kit(labelsAnswers, {
  kit: () => import('./answers/labels/kit.ts'),
  android: () => import('./consumers/android/values.ts'),
  ios: () => import('./consumers/ios/values.ts'),
  node: () => import('./consumers/node/values.ts'),
  browser: () => import('./consumers/browser/values.ts'),
});
kit(tagsAnswers, {
  kit: () => import('./answers/tags/kit.ts'),
  android: () => import('./answers/tags/kit/android.ts'),
  ios: () => import('./answers/tags/kit/ios.ts'),
  node: () => import('./answers/tags/kit/node.ts'),
  browser: () => import('./answers/tags/kit/browser.ts'),
});
kit(maskAnswers, {
  kit: () => import('./answers/mask/kit.ts'),
  android: () => import('./answers/mask/kit/android.ts'),
  ios: () => import('./answers/mask/kit/ios.ts'),
  node: () => import('./answers/mask/kit/node.ts'),
  browser: () => import('./answers/mask/kit/browser.ts'),
});
kit(boxesAnswers, {
  kit: () => import('./answers/boxes/kit.ts'),
  android: () => import('./answers/boxes/kit/android.ts'),
  ios: () => import('./answers/boxes/kit/ios.ts'),
  node: () => import('./answers/boxes/kit/node.ts'),
  browser: () => import('./answers/boxes/kit/browser.ts'),
});
kit(pointsAnswers, {
  kit: () => import('./answers/points/kit.ts'),
  android: () => import('./answers/points/kit/android.ts'),
  ios: () => import('./answers/points/kit/ios.ts'),
  node: () => import('./answers/points/kit/node.ts'),
  browser: () => import('./answers/points/kit/browser.ts'),
});
kit(vectorAnswers, {
  kit: () => import('./answers/vector/kit.ts'),
  android: () => import('./answers/vector/kit/android.ts'),
  ios: () => import('./answers/vector/kit/ios.ts'),
  node: () => import('./answers/vector/kit/node.ts'),
  browser: () => import('./answers/vector/kit/browser.ts'),
});

export const kitList = platforms;
