import type { Schema } from './notation.ts';

/** Tables of TensorFlow Lite's model metadata, file identifier `M001`. */
const tables: Schema['tables'] = {
  AssociatedFile: 'name:string description:string type:i8 locale:string version:string',
  FeatureProperties: '',
  ImageSize: 'width:u32 height:u32',
  ImageProperties: 'colorSpace:i8 defaultSize:ImageSize',
  AudioProperties: 'sampleRate:u32 channels:u32',
  BoundingBoxProperties: 'index:[u32] type:i8 coordinateType:i8',
  ValueRange: 'min:i32 max:i32',
  Content: 'contentProperties:<ContentProperties> range:ValueRange',
  ProcessUnit: 'options:<ProcessUnitOptions>',
  Stats: 'max:[f32] min:[f32]',
  TensorGroup: 'name:string tensorNames:[string]',
  TensorMetadata:
    'name:string description:string dimensionNames:[string] content:Content processUnits:[ProcessUnit] stats:Stats associatedFiles:[AssociatedFile]',
  CustomMetadata: 'name:string data:[u8]',
  SubGraphMetadata:
    'name:string description:string inputTensorMetadata:[TensorMetadata] outputTensorMetadata:[TensorMetadata] associatedFiles:[AssociatedFile] inputProcessUnits:[ProcessUnit] outputProcessUnits:[ProcessUnit] inputTensorGroups:[TensorGroup] outputTensorGroups:[TensorGroup] customMetadata:[CustomMetadata]',
  ModelMetadata:
    'name:string description:string version:string subgraphMetadata:[SubGraphMetadata] author:string license:string associatedFiles:[AssociatedFile] minParserVersion:string',
  NormalizationOptions: 'mean:[f32] std:[f32]',
  ScoreCalibrationOptions: 'scoreTransformation:i8 defaultScore:f32',
  ScoreThresholdingOptions: 'globalScoreThreshold:f32',
  BertTokenizerOptions: 'vocabFile:[AssociatedFile]',
  SentencePieceTokenizerOptions: 'sentencePieceModel:[AssociatedFile] vocabFile:[AssociatedFile]',
  RegexTokenizerOptions: 'delimRegexPattern:string vocabFile:[AssociatedFile]',
};

/** Members in the order of their numbers, from 1. */
const unions: Schema['unions'] = {
  ContentProperties: ['FeatureProperties', 'ImageProperties', 'BoundingBoxProperties', 'AudioProperties'],
  ProcessUnitOptions: [
    'NormalizationOptions',
    'ScoreCalibrationOptions',
    'ScoreThresholdingOptions',
    'BertTokenizerOptions',
    'SentencePieceTokenizerOptions',
    'RegexTokenizerOptions',
  ],
};

export const metadataSchema: Schema = { root: 'ModelMetadata', identifier: 'M001', tables, unions };
