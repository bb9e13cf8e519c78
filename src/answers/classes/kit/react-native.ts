import type { ReactNativeModule } from '../../../consumers/react-native/index.ts';

export const reactNative: ReactNativeModule = { file: 'classifier.ts' };
