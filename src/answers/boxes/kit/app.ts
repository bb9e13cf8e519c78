/** Classes of apps, whose parts are in the folder of each language. */
export const APP = {
  pictures: {
    NAME: 'Detector',
    DOC: 'Boxes of the objects in pictures, with their labels and scores, also drawn over them.',
  },
};
