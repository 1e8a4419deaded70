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
  ./quartet kubectl …     kubectl with the right kubeconfig
  ./quartet tools         build Kubernetes, etcd, helm and nats-server (up does it too)

  --state DIR (or QUARTET_STATE) with any command: another instance, with its own addresses`;

/** What there is. */
export const help = (): number => {
  console.log(text);
  return 0;
};
