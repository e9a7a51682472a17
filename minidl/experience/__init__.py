"""Experience: what a user touches to build, feed, train and look into a model."""
