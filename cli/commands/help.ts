import type { CommandLine } from '../arguments.ts';

const text = `Quartet: four services under one operator, on this computer.

  ./quartet up            start everything and wait until every resource is Ready
      --nodes N           nodes, 3 by default; a fourth and more share the three zones
      --nats 1|3          servers of NATS; three live on the first three nodes and die with them
      --no-samples        without the resources in crds/samples
      --address A         publish services on this loopback address
  ./quartet down          stop everything; the state stays
  ./quartet status        nodes, resources, pods, programs, memory and CPU
  ./quartet kill node X   power cut at a node      ./quartet revive node X
  ./quartet kill pod X    SIGKILL to a pod's processes
  ./quartet logs X        of a pod, or of supervisor, kube-apiserver, nats-0, …   (-f follows, --tail N)
  ./quartet split X       split a database shard while it serves          (./quartet split --help)
  ./quartet describe dbshard X   all about a shard, and what to do        (./quartet describe --help)
  ./quartet kubectl …     kubectl with the right kubeconfig
  ./quartet tools         build Kubernetes, etcd, helm and nats-server (up does it too)

  --state DIR (or QUARTET_STATE) with any command: another instance, with its own addresses`;

const split = `./quartet split SHARD   split a DBShard online: a new one takes over its upper keys

      --at KEY            first key of the new shard; left out: the key in the middle
      --name NEW          name of the new shard; left out: SHARD-KEY, or SHARD-upper
      --timeout T         how long to wait until it serves its keys, 10m by default; the split goes on after that
  -n, --namespace NS      default by default
      --kubeconfig FILE   on this cluster; left out: on this computer

The new shard gets database, replicas, storage and failover of SHARD. It copies all keys, follows the log, and then takes
over: clients see at most a request that takes a moment longer. Ctrl-C stops the watching, not the split.
To give it up before the keys are handed over, delete the new shard.`;

const describe = `./quartet describe dbshard NAME   all about a shard, for whoever is on call

  -n, --namespace NS      default by default
      --kubeconfig FILE   of this cluster; left out: of this computer

Range, members and how far behind they are, split, conditions, events, and what to do about each problem.
Ages and positions are live: an operator is asked. Other kinds: what kubectl describe says.`;

const pages: Readonly<Record<string, string>> = { split, describe };

/** What there is; or about one command. */
export const help = ({ words }: CommandLine): number => {
  console.log(pages[words[0] ?? ''] ?? text);
  return 0;
};
