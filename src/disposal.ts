/**
 * Lets `await using` work where the runtime has no `Symbol.asyncDispose` (Node before 20.4). A class that names its method so has then named it
 * `undefined`; here it gets the name by which the code that esbuild and Babel make of `await using` looks for it. Nothing global is
 * patched.
 *
 * @param prototype of the class with the method
 * @param symbols the runtime's `Symbol`
 */
export function nameAsyncDispose(prototype: object, symbols: { readonly asyncDispose?: symbol } = Symbol): void {
  const method = Object.getOwnPropertyDescriptor(prototype, 'undefined');
  if (symbols.asyncDispose !== undefined || method === undefined) return;
  Reflect.deleteProperty(prototype, 'undefined');
  Object.defineProperty(prototype, Symbol.for('Symbol.asyncDispose'), method);
}
