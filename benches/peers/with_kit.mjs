// The payout of ten payees that benches/solana.rs builds, by @solana/kit.
//
// npm install --ignore-scripts @solana/kit@8.4.0 @solana-program/token @solana-program/compute-budget
// node benches/peers/with_kit.mjs

import {
  address, appendTransactionMessageInstructions, compileTransaction, createKeyPairFromPrivateKeyBytes,
  createTransactionMessage, getAddressDecoder, getAddressFromPublicKey, getTransactionEncoder, pipe,
  setTransactionMessageFeePayer, setTransactionMessageLifetimeUsingBlockhash, signTransaction,
} from '@solana/kit';
import { findAssociatedTokenPda, getTransferCheckedInstruction } from '@solana-program/token';
import {
  getSetComputeUnitLimitInstruction, getSetComputeUnitPriceInstruction,
} from '@solana-program/compute-budget';

const keys = await createKeyPairFromPrivateKeyBytes(new Uint8Array(32).fill(7));
const payer = await getAddressFromPublicKey(keys.publicKey);
const mint = address('EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v');
const tokenProgram = address('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA');
const made = (kind, n) => {
  const bytes = new Uint8Array(32).fill(kind);
  new DataView(bytes.buffer).setUint32(0, n, true);
  return getAddressDecoder().decode(bytes);
};
const accounts = Array.from({ length: 10 }, (_, n) => made(2, n));
const [source] = await findAssociatedTokenPda({ owner: payer, mint, tokenProgram });
const blockhash = getAddressDecoder().decode(new Uint8Array(32).fill(9));

const build = async () => {
  const orders = [
    getSetComputeUnitLimitInstruction({ units: 20_000 }),
    getSetComputeUnitPriceInstruction({ microLamports: 1_000n }),
    ...accounts.map((destination) => getTransferCheckedInstruction(
      { source, mint, destination, authority: payer, amount: 5n, decimals: 6 })),
  ];
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (tx) => setTransactionMessageFeePayer(payer, tx),
    (tx) => setTransactionMessageLifetimeUsingBlockhash({ blockhash, lastValidBlockHeight: 1n }, tx),
    (tx) => appendTransactionMessageInstructions(orders, tx),
  );
  const signed = await signTransaction([keys], compileTransaction(message));
  return getTransactionEncoder().encode(signed);
};

console.log((await build()).length, 'bytes');
const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
let best = 0;
for (let run = 0; run < 7; run += 1) {
  const start = spent();
  let count = 0;
  while (spent() - start < 1) { await build(); count += 1; }
  best = Math.max(best, count / (spent() - start));
}
console.log(`kit: ${best.toFixed(0)} a second, ${(1e6 / best).toFixed(1)} us each`);
