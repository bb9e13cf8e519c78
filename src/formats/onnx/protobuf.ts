export { decodeModel, missingFile, namesOfEnds } from './protobuf/decode.ts';
export { contentBytes, encodeModel, externalValues, onnxContent, separated } from './protobuf/encode.ts';
