import { unreadOutputs } from '../../ship/kit/platforms.ts';
import type { KitSample } from '../../ship/kit/platforms.ts';
import { BROWSER, browserSample } from './page.ts';

/** Pages, on LiteRT.js and on ONNX Runtime Web. */
export const kitSample: KitSample = {
  sources: BROWSER,
  filesOf: async (of) =>
    unreadOutputs(of) ?? browserSample(of.form, of.formats, of.isSound ? 'sound' : of.kit.kindOf(of.data)),
};
