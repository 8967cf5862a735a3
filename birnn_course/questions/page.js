// Does on a page what Python does in a notebook: judges an answer, keeps it and tells.

// What was kept may be from a time when the question was another one.
const fits = ({ answers, kind }, response) => (READ[kind] ? typeof response === "string"
  : Array.isArray(response) && response.length > 0 && response.every((i) => Object.hasOwn(answers, i)));

function kernel(values, tell, { keeping, sentences }) {
  const { keys } = values;
  for (const [id, key] of values.remember ? Object.entries(keys) : []) {
    const response = keeping.last("answer", id);
    if (fits(key, response)) values.states[id] = judged(key, response, sentences);
  }
  return ({ id, response }) => {
    const state = judged(keys[id], response, sentences);
    if (state.mark) keeping.add("answer", id, response);
    tell("states", { ...values.states, [id]: state });
    return state;
  };
}
globalThis.birnn = { ...globalThis.birnn, kernels: { ...globalThis.birnn?.kernels, quiz: kernel } };
