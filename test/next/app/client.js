'use client'
import { useEffect } from 'react'
import { make } from 'steinrl/envs'
import { trial } from './trial.js'

async function reward() {
  const env = await make('CartPole-v1')
  env.reset({ seed: 1 })
  return env.step(1).reward
}

export function Client() {
  useEffect(() => {
    Object.assign(globalThis, { trial, reward })
  }, [])
  return <p>A page that trains.</p>
}
