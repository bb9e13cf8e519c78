import path from 'node:path';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { appSample, copiedFiles, readingOf } from '../../ship/kit/app.ts';
import type { AppClass, AppClasses } from '../../ship/kit/app.ts';
import type { SampleContext, SampleFiles } from '../../ship/kit/platforms.ts';
import { sampleFile, sampleParts, sampleTexts } from '../../ship/kit/samples.ts';

export type IosClasses = AppClasses;

const IOS = new Slot<IosClasses>(answerForms, 'ios', 'sample for iOS');

/**
 * Classes in Swift, on TensorFlowLiteSwift, which read preprocessing.json and labels.txt, so that nothing about the model stands in the code. A class for
 * texts stands beside its tokenizer, which is the one script of portable.ts: JavaScriptCore runs it.
 */
export const kitSample = appSample(IOS, sourceOf);

const at = (name: string): string => path.join(import.meta.dirname, 'samples', name);

const numbersOf = (output: number): string =>
  `interpreter.output(at: ${output}).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }`;

function sourceOf({ parts, NAME, DOC }: AppClass, of: SampleContext): SampleFiles {
  const isText = of.data.text !== undefined;
  const marks = {
    NAME,
    DOC: DOC.replace('null', 'nil'),
    COPIED: copiedFiles(of),
    IOS: isText ? '15.4' : '13.0',
    ...sampleTexts({
      MODEL: at('model.swift'),
      FEED: at('feed.swift'),
      FITTED: at('fitted.swift'),
      DRAWING: at('drawing.swift'),
    }),
    ...(of.kit.hasNames !== false && sampleParts(at('labels.swift'))),
    ...(isText ? sampleParts(at('text.swift')) : { READ_SWIFT: readingOf(of.kit, numbersOf) }),
    ...sampleParts(...parts),
  };
  const own = { [`${NAME}.swift`]: sampleFile(at(`${isText ? 'Text' : 'Picture'}Model.swift`), marks) };
  const files = isText ? ['Podfile', 'Tokenizer.swift'] : ['Podfile'];
  return { ...Object.fromEntries(files.map((name) => [name, sampleFile(at(name), marks)])), ...own };
}
