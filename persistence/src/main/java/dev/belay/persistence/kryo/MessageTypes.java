package dev.belay.persistence.kryo;

import dev.belay.calm.ClusterEntity;
import dev.belay.entity.Reply;
import dev.belay.replica.LockstepFigures;
import dev.belay.server.ServerEntity;
import dev.belay.server.ServerNode;
import dev.belay.vm.VmEntity;

/** What the actors of different nodes say to each other: ids 500 to 999. */
public final class MessageTypes implements KryoTypes {
    @Override
    public void register(Registry registry) {
        registry.message(500, "vm.Request", VmEntity.Request.class);
        registry.message(501, "vm.News", VmEntity.News.class);
        registry.message(502, "vm.Show", VmEntity.Show.class);
        registry.message(505, "vm.Shown", VmEntity.Shown.class);
        registry.message(520, "server.Join", ServerEntity.Join.class);
        registry.message(521, "server.News", ServerEntity.News.class);
        registry.message(522, "server.Request", ServerEntity.Request.class);
        registry.message(530, "cluster.Request", ClusterEntity.Request.class);
        registry.message(531, "cluster.Offer", ClusterEntity.Offer.class);
        registry.message(532, "cluster.Agreed", ClusterEntity.Agreed.class);
        registry.message(535, "entity.Done", Reply.Done.class);
        registry.message(536, "entity.Refused", Reply.Refused.class);
        registry.message(540, "node.Order", ServerNode.Order.class);
        registry.message(541, "node.Welcome", ServerNode.Welcome.class);
        registry.message(542, "node.MustClean", ServerNode.MustClean.class);
        registry.message(543, "node.Check", ServerNode.Check.class);
        registry.message(544, "node.Checked", ServerNode.Checked.class);
        registry.message(545, "node.PairBeat", ServerNode.PairBeat.class);
        registry.message(546, "node.Refused", ServerNode.Refused.class);
        registry.message(547, "node.PairAsks", ServerNode.PairAsks.class);
        registry.message(548, "node.PairVouches", ServerNode.PairVouches.class);
        registry.message(549, "node.PairRests", ServerNode.PairRests.class);
        registry.message(550, "node.Measure", ServerNode.Measure.class);
        registry.message(551, "node.Measured", ServerNode.Measured.class);
        registry.part(552, LockstepFigures.class);
    }
}
