// What the bundler of the examples makes of files that are no scripts.
declare module '*.css'

declare module '*?url' {
  const address: string
  export default address
}

declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
